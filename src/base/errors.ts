/**
 * Every failure a user can meet. The key is API: scripts match on it, so it never changes.
 *
 * `exitCode` is what the process ends with; `retriable` says whether the same call can succeed later
 * without anyone changing anything.
 */
export const ERROR_KINDS = {
  usage: { exitCode: 2, retriable: false },
  config_invalid: { exitCode: 2, retriable: false },
  source_missing: { exitCode: 3, retriable: false },
  source_changed: { exitCode: 3, retriable: true },
  source_unreadable: { exitCode: 3, retriable: false },
  source_failed: { exitCode: 1, retriable: false },
  target_unwritable: { exitCode: 3, retriable: false },
  target_full: { exitCode: 1, retriable: false },
  repository_missing: { exitCode: 10, retriable: false },
  repository_exists: { exitCode: 1, retriable: false },
  repository_unsupported: { exitCode: 1, retriable: false },
  repository_changed: { exitCode: 13, retriable: false },
  session_fenced: { exitCode: 11, retriable: true },
  password_wrong: { exitCode: 12, retriable: false },
  password_missing: { exitCode: 12, retriable: false },
  data_damaged: { exitCode: 13, retriable: false },
  object_missing: { exitCode: 13, retriable: false },
  object_exists: { exitCode: 1, retriable: false },
  limit_exceeded: { exitCode: 13, retriable: false },
  storage_failed: { exitCode: 1, retriable: false },
  storage_busy: { exitCode: 1, retriable: true },
  storage_full: { exitCode: 1, retriable: false },
  storage_denied: { exitCode: 1, retriable: false },
  snapshot_missing: { exitCode: 1, retriable: false },
  snapshot_ambiguous: { exitCode: 2, retriable: false },
  path_missing: { exitCode: 1, retriable: false },
  codec_failed: { exitCode: 1, retriable: false },
  kdf_failed: { exitCode: 1, retriable: true },
  plugin_refused: { exitCode: 14, retriable: false }, // before it ran: manifest, signature, capability, limits
  plugin_failed: { exitCode: 14, retriable: false }, // while it ran: trap, deadline, memory, a wrong answer
  plugin_missing: { exitCode: 14, retriable: false }, // none is installed by that id
  interrupted: { exitCode: 130, retriable: true },
  internal: { exitCode: 1, retriable: false }, // a bug: what was thrown is no AxiomError
} as const;

export type ErrorKind = keyof typeof ERROR_KINDS;

export interface ErrorOptions {
  /** The next command or step, as a sentence. */
  hint?: string;
  cause?: unknown;
  /** Overrides the table where a backend knows better, such as a 503 with `Retry-After`. */
  retriable?: boolean;
}

/** A failure with a place in {@linkcode ERROR_KINDS}. Its message reads "Cannot <verb> <object>: <why, with the value>". */
export class AxiomError extends Error {
  override readonly name = "AxiomError";
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly retriable: boolean;

  constructor(kind: ErrorKind, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.hint = options.hint;
    this.retriable = options.retriable ?? ERROR_KINDS[kind].retriable;
  }

  get exitCode(): number {
    return ERROR_KINDS[this.kind].exitCode;
  }
}

/** What to do next where something stored is not what it must be. */
export const DAMAGE_HINTS = {
  /** What is missing, or is no document, is found without reading all. */
  missing: "Run `axiom check` to see what else is damaged",
  content: "Run `axiom check --read-data` to see what else is damaged",
} as const;

/** An `AxiomError` as plain data, for `--json` and for the way from a worker to its owner. */
export interface ErrorReport {
  kind: ErrorKind;
  message: string;
  hint?: string;
}

export function reportError(error: AxiomError): ErrorReport {
  return { kind: error.kind, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}

/** The message of whatever was thrown, without a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function isKind(error: unknown, ...kinds: ErrorKind[]): error is AxiomError {
  return error instanceof AxiomError && kinds.includes(error.kind);
}

/** Throws `interrupted` if `signal` was aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    if (signal.reason instanceof AxiomError) throw signal.reason;
    throw new AxiomError("interrupted", "Interrupted", { cause: signal.reason });
  }
}
