/** What the process may end with; `ERROR_KINDS` says which failure ends with which. */
export const EXIT_CODES: Readonly<Record<number, string>> = {
  0: "done",
  1: "failed",
  2: "usage: flags, arguments, configuration",
  3: "done, but something of the source could not be read (if it was all, there is no snapshot), or of the target not " +
    "be written, or a plugin failed to process the snapshot",
  10: "no repository there",
  11: "locked or fenced by another client",
  12: "wrong password or key",
  13: "damaged data found",
  14: "a plugin was refused",
  130: "interrupted",
};
