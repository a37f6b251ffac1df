/**
 * Where keys are derived. A thread takes a tenth of a second to start, so the program starts it before it knows the repository;
 * without that it starts when it is needed.
 */
let waiting: Worker | undefined;

export function startKdfThread(): void {
  waiting ??= newThread();
}

/** The caller ends it. */
export function takeKdfThread(): Worker {
  const thread = waiting ?? newThread();
  waiting = undefined;
  return thread;
}

function newThread(): Worker {
  return new Worker(new URL("./kdf_worker.ts", import.meta.url), { type: "module" });
}
