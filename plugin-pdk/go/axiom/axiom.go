// Package axiom is what a plugin of AXIOM written in Go needs: ABI 1 as plugin-pdk/abi.md has it. Copy it into a project as
// it is.
//
//	type copier struct{ axiom.Nothing }
//
//	func (copier) Execute(operation axiom.Operation, _ axiom.Header) error {
//		if operation != axiom.Encode && operation != axiom.Decode {
//			return axiom.Unsupported
//		}
//		axiom.Write(axiom.ReadAll())
//		return nil
//	}
//
//	func init() { axiom.Serve(copier{}) }
//
//	func main() {}
package axiom

import (
	"encoding/json"
	"errors"
	"runtime"
	"time"
	"unsafe"
)

// Operation is what Execute is asked to do.
type Operation uint32

const (
	Encode Operation = iota + 1
	Decode
	Seal
	Open
	Put
	Get
	Stat
	List
	Delete
	Select
	Plan
	ReadStream
	Run
)

// Class is why a call failed; the host decides by it whether the data, the plugin or the moment is to blame.
type Class int32

const (
	InvalidInput Class = iota + 1
	Unsupported
	CorruptData
	Auth
	NotFound
	Conflict
	Transient
	Quota
	Permanent
	Cancelled
	Internal
	CapabilityDenied
)

var classes = [...]string{"", "invalid input", "unsupported", "corrupt data", "auth", "not found", "conflict", "transient",
	"quota", "permanent", "cancelled", "internal", "capability denied"}

func (c Class) Error() string { return classes[c] }

type failure struct {
	Class
	message string
}

func (f failure) Error() string { return f.message }
func (f failure) Unwrap() error { return f.Class }

// Fail is an error with a message for people.
func Fail(class Class, message string) error { return failure{class, message} }

// Plugin is what an author writes. Nothing that one call leaves may show in another one.
type Plugin interface {
	Initialize(configuration Header) error
	Validate() error
	Execute(operation Operation, header Header) error
	Teardown() error
}

// Nothing is a Plugin's part that needs nothing done.
type Nothing struct{}

func (Nothing) Initialize(Header) error { return nil }
func (Nothing) Validate() error         { return nil }
func (Nothing) Teardown() error         { return nil }

var served Plugin

// Serve says which plugin this module is; call it from init.
func Serve(plugin Plugin) { served = plugin }

//go:wasmimport axiom:host/io@1 read
func hostRead(pointer unsafe.Pointer, capacity uint32) uint32

//go:wasmimport axiom:host/io@1 write
func hostWrite(pointer unsafe.Pointer, length uint32) int32

//go:wasmimport axiom:host/io@1 left
func hostLeft() uint32

//go:wasmimport axiom:host/call@1 op
func hostOp() uint32

//go:wasmimport axiom:host/call@1 params
func hostParams(pointer unsafe.Pointer, capacity uint32) uint32

//go:wasmimport axiom:host/call@1 result
func hostResult(pointer unsafe.Pointer, length uint32) int32

//go:wasmimport axiom:host/call@1 fail
func hostFail(class int32, pointer unsafe.Pointer, length uint32) int32

//go:wasmimport axiom:host/call@1 cancelled
func hostCancelled() int32

//go:wasmimport axiom:host/log@1 log
func hostLog(level int32, pointer unsafe.Pointer, length uint32) int32

//go:wasmimport axiom:host/clock@1 now
func hostNow() int64

//go:wasmimport axiom:host/clock@1 monotonic
func hostMonotonic() int64

//go:wasmimport axiom:host/random@1 fill
func hostFill(pointer unsafe.Pointer, length uint32) int32

//go:wasmimport axiom:host/metric@1 report
func hostReport(pointer unsafe.Pointer, length uint32, value float64) int32

//go:wasmimport axiom:host/kv@1 get
func hostGet(key unsafe.Pointer, keyLength uint32, pointer unsafe.Pointer, capacity uint32) int32

//go:wasmimport axiom:host/kv@1 set
func hostSet(key unsafe.Pointer, keyLength uint32, value unsafe.Pointer, length uint32) int32

//go:wasmimport axiom:host/kv@1 delete
func hostDelete(key unsafe.Pointer, keyLength uint32) int32

//go:wasmimport axiom:host/http@1 send
func hostSend(pointer unsafe.Pointer, length uint32, body unsafe.Pointer, bodyLength uint32) int32

//go:wasmimport axiom:host/http@1 response
func hostResponse(pointer unsafe.Pointer, capacity uint32) uint32

//go:wasmimport axiom:host/http@1 read
func hostReadBody(pointer unsafe.Pointer, capacity uint32) uint32

//go:wasmexport axiom_abi_1
func marker() int32 { return 0 }

//go:wasmexport initialize
func initialize() int32 { return answer(served.Initialize(header())) }

//go:wasmexport validate
func validate() int32 { return answer(served.Validate()) }

//go:wasmexport execute
func execute() int32 {
	defer runtime.GC() // nothing runs between calls that would
	return answer(served.Execute(Operation(hostOp()), header()))
}

//go:wasmexport teardown
func teardown() int32 { return answer(served.Teardown()) }

func answer(err error) int32 {
	if err == nil {
		return 0
	}
	class := Internal
	errors.As(err, &class)
	text := []byte(err.Error())
	return hostFail(int32(class), at(text), uint32(len(text)))
}

func at(bytes []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(bytes)) }

// InputLeft is how many bytes of the input were not read yet.
func InputLeft() int { return int(hostLeft()) }

// Read fills buffer from the input and says how much of it; less than all of it only at the input's end.
func Read(buffer []byte) int { return int(hostRead(at(buffer), uint32(len(buffer)))) }

// ReadAll returns what is left of the input.
func ReadAll() []byte {
	bytes := make([]byte, InputLeft())
	Read(bytes)
	return bytes
}

// Write appends to the output. It ends the call where the output would be longer than the host wants.
func Write(bytes []byte) { hostWrite(at(bytes), uint32(len(bytes))) }

// SetResult sets the result: JSON of at most 1 MiB.
func SetResult(value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	hostResult(at(text), uint32(len(text)))
	return nil
}

// IsCancelled is true once nobody waits any more; then there are 250 ms left to return.
func IsCancelled() bool { return hostCancelled() != 0 }

// Level is how much a line of the log matters.
type Level int32

const (
	LogError Level = iota
	LogWarning
	LogInfo
	LogDebug
)

// Log needs the capability log.
func Log(level Level, message string) {
	text := []byte(message)
	hostLog(int32(level), at(text), uint32(len(text)))
}

// Now is the time, which Go's own packages do not know in a plugin. It needs the capability clock.
func Now() time.Time { return time.Unix(0, hostNow()).UTC() }

// Monotonic is the time since an arbitrary moment. It needs the capability clock.
func Monotonic() time.Duration { return time.Duration(hostMonotonic()) }

// FillRandom fills bytes, which crypto/rand cannot do in a plugin. It needs the capability random.
func FillRandom(bytes []byte) { hostFill(at(bytes), uint32(len(bytes))) }

// ReportMetric needs the capability metric; name is of a-z, 0-9 and _.
func ReportMetric(name string, value float64) {
	text := []byte(name)
	hostReport(at(text), uint32(len(text)), value)
}

// Note is what an earlier call kept, and whether there is any. It needs the capability kv.
func Note(key string) ([]byte, bool) {
	name, value := []byte(key), []byte{}
	for {
		length := int(hostGet(at(name), uint32(len(name)), at(value), uint32(len(value))))
		if length <= len(value) {
			return value[:max(0, length)], length >= 0
		}
		value = make([]byte, length)
	}
}

// KeepNote keeps a note on this machine, 1 MiB of all. It needs the capability kv.
func KeepNote(key string, value []byte) error {
	name := []byte(key)
	if class := hostSet(at(name), uint32(len(name)), at(value), uint32(len(value))); class != 0 {
		return Class(class)
	}
	return nil
}

// DropNote needs the capability kv.
func DropNote(key string) {
	name := []byte(key)
	hostDelete(at(name), uint32(len(name)))
}

// Request is one of HTTP.
type Request struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
}

// Response is what came back, of any status.
type Response struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    []byte            `json:"-"`
}

// HTTP needs the capability net.http.
func HTTP(request Request, body []byte) (Response, error) {
	var response Response
	text, err := json.Marshal(request)
	if err != nil {
		return response, err
	}
	if class := hostSend(at(text), uint32(len(text)), at(body), uint32(len(body))); class != 0 {
		return response, Class(class)
	}
	text = make([]byte, hostResponse(nil, 0))
	hostResponse(at(text), uint32(len(text)))
	if err := json.Unmarshal(text, &response); err != nil {
		return response, err
	}
	buffer := make([]byte, 65536)
	for {
		n := hostReadBody(at(buffer), uint32(len(buffer)))
		if n == 0 {
			return response, nil
		}
		response.Body = append(response.Body, buffer[:n]...)
	}
}

// Header is a JSON object: of Initialize the configuration, of Execute what belongs to the operation.
type Header map[string]any

func header() Header {
	text := make([]byte, hostParams(nil, 0))
	hostParams(at(text), uint32(len(text)))
	object := Header{}
	_ = json.Unmarshal(text, &object) // the host writes nothing but objects
	return object
}

// Integer is 0 where the key is absent or holds something else.
func (h Header) Integer(key string) int64 {
	number, _ := h[key].(float64)
	return int64(number)
}

// String is empty where the key is absent or holds something else.
func (h Header) String(key string) string {
	text, _ := h[key].(string)
	return text
}
