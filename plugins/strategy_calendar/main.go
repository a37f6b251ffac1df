// A full backup once in each day, week, month or year of the calendar, and incremental or differential ones between.
package main

import (
	"encoding/json"
	"time"

	"axiom.example/kit/axiom"
)

type plugin struct {
	axiom.Nothing
	fullEach string
	between  string
}

func init() { axiom.Serve(&plugin{}) }

func main() {}

func (p *plugin) Initialize(configuration axiom.Header) error {
	p.fullEach, p.between = configuration.String("full_each"), configuration.String("between")
	return nil
}

type snapshot struct {
	ID     string `json:"id"`
	TimeMs int64  `json:"time_ms"`
	Mode   string `json:"mode"`
}

type decision struct {
	Mode   string  `json:"mode"`
	Parent *string `json:"parent"`
}

func (p *plugin) Execute(operation axiom.Operation, header axiom.Header) error {
	if operation != axiom.Plan {
		return axiom.Unsupported
	}
	var snapshots []snapshot // the newest first
	if err := json.Unmarshal(axiom.ReadAll(), &snapshots); err != nil {
		return axiom.Fail(axiom.InvalidInput, "the list of snapshots cannot be read: "+err.Error())
	}
	begins := p.begin(time.UnixMilli(header.Integer("now_ms")).UTC())
	for i, each := range snapshots {
		if each.Mode != "full" {
			continue
		}
		if time.UnixMilli(each.TimeMs).Before(begins) {
			break
		}
		parent := snapshots[0].ID
		if p.between == "differential" {
			parent = snapshots[i].ID
		}
		return axiom.SetResult(decision{p.between, &parent})
	}
	return axiom.SetResult(decision{Mode: "full"})
}

// begin is when the day, week, month or year began in which now lies.
func (p *plugin) begin(now time.Time) time.Time {
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	switch p.fullEach {
	case "day":
		return day
	case "month":
		return day.AddDate(0, 0, 1-day.Day())
	case "year":
		return day.AddDate(0, 0, 1-day.YearDay())
	}
	sinceMonday := (int(day.Weekday()) + 6) % 7
	return day.AddDate(0, 0, -sinceMonday)
}
