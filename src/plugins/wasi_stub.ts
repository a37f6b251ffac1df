/**
 * The least of WASI preview 1 that lets modules of Go and of some C libraries start: no file, no argument, no variable and no
 * real time. Every other call answers `ENOSYS`.
 */
import { viewOf } from "../base/bytes.ts";
import { GuestFault } from "./call_state.ts";
import type { HostFunction } from "./engine.ts";
import { view } from "./guest_memory.ts";
import type { Guest } from "./host_imports.ts";

const BAD_DESCRIPTOR = 8;
const NOT_THERE = 52;
const EVENT_BYTES = 32;

const OTHERS = [
  "args_get",
  "clock_res_get",
  "environ_get",
  "fd_advise",
  "fd_allocate",
  "fd_close",
  "fd_datasync",
  "fd_fdstat_get",
  "fd_fdstat_set_flags",
  "fd_fdstat_set_rights",
  "fd_filestat_get",
  "fd_filestat_set_size",
  "fd_filestat_set_times",
  "fd_pread",
  "fd_prestat_dir_name",
  "fd_pwrite",
  "fd_read",
  "fd_readdir",
  "fd_renumber",
  "fd_seek",
  "fd_sync",
  "fd_tell",
  "path_create_directory",
  "path_filestat_get",
  "path_filestat_set_times",
  "path_link",
  "path_open",
  "path_readlink",
  "path_remove_directory",
  "path_rename",
  "path_symlink",
  "path_unlink_file",
  "proc_raise",
  "sched_yield",
  "sock_accept",
  "sock_recv",
  "sock_send",
  "sock_shutdown",
];

export function wasiStub(guest: Guest): Record<string, HostFunction> {
  let time = 1_000_000_000n;
  const at = (pointer: number, bytes: number) => viewOf(view(guest, pointer, bytes));
  const sizes = (countAt: number, bytesAt: number) => {
    at(countAt, 4).setUint32(0, 0, true);
    at(bytesAt, 4).setUint32(0, 0, true);
    return 0;
  };
  return {
    ...Object.fromEntries(OTHERS.map((name) => [name, () => NOT_THERE])),
    args_sizes_get: sizes,
    environ_sizes_get: sizes,
    fd_prestat_get: () => BAD_DESCRIPTOR,
    clock_time_get(_clock: number, _precision: bigint, timeAt: number) {
      time += 1_000_000n;
      at(timeAt, 8).setBigUint64(0, time, true);
      return 0;
    },
    /** Where a panic's text goes; an error here would hide it behind another one. */
    fd_write(descriptor: number, vectors: number, count: number, writtenAt: number) {
      const list = at(vectors, 8 * (count >>> 0));
      let written = 0;
      for (let i = 0; i < count >>> 0; i++) {
        const length = list.getUint32(8 * i + 4, true);
        guest.call.addText(descriptor === 2 ? 0 : 2, view(guest, list.getUint32(8 * i, true), length));
        written += length;
      }
      at(writtenAt, 4).setUint32(0, written, true);
      return 0;
    },
    poll_oneoff(_subscriptions: number, events: number, count: number, countAt: number) {
      view(guest, events, EVENT_BYTES * (count >>> 0)).fill(0);
      at(countAt, 4).setUint32(0, count, true);
      return 0;
    },
    /** The same at every start: a codec's output may depend on its input alone. */
    random_get(pointer: number, length: number) {
      const target = view(guest, pointer, length);
      for (let i = 0, state = 1; i < target.length; i++) {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        target[i] = state >>> 16;
      }
      return 0;
    },
    proc_exit(code: number) {
      throw new GuestFault("internal", `it ended itself with ${code}`);
    },
  };
}
