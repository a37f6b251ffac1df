/** A value that will be there once workers are done; the way to it was walked already. */
export interface Pending<T> {
  readonly done: Promise<T>;
}

/** A failure of `done` is for whoever awaits it, later and in order. */
export function pending<T>(done: Promise<T>): Pending<T> {
  done.catch(() => {});
  return { done };
}

export function settled<T>(value: T): Pending<T> {
  return { done: Promise.resolve(value) };
}
