/** What differs between the two architectures: `asm/fcntl.h` and the system call table. */
const ARM = Deno.build.arch === "aarch64";

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_NO_AUTOMOUNT = 0x800;
export const AT_EMPTY_PATH = 0x1000;

export const O_RDONLY = 0;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NONBLOCK = 0o4000;
export const O_DIRECTORY = ARM ? 0o40000 : 0o200000;
export const O_NOFOLLOW = ARM ? 0o100000 : 0o400000;
export const O_NOATIME = 0o1000000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
/** A folder as a place for calls relative to it; needs no right to read it. */
export const FOLDER_HANDLE = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

export const SYS_STATX = ARM ? 291n : 332n;
export const SYS_GETDENTS64 = ARM ? 61n : 217n;
export const SYS_MKNODAT = ARM ? 33n : 259n;
export const SYS_RENAMEAT2 = ARM ? 276n : 316n;
export const SYS_OPENAT2 = 437n;

export const RESOLVE_NO_SYMLINKS = 0x04;
export const RESOLVE_BENEATH = 0x08;

export const RENAME_NOREPLACE = 1;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;
export const FALLOC_FL_KEEP_SIZE = 1;
export const FALLOC_FL_PUNCH_HOLE = 2;
/** In a `timespec`'s nanoseconds: leaves that time as it is. */
export const UTIME_OMIT = 0x3ffffffe;
