/** A value that is there, or will be once workers are done; the way to it was walked already. */
export interface Pending<T> {
  readonly done: T | Promise<T>;
}

/** A failure of `done` is for whoever awaits it, later and in order. */
export function pending<T>(done: Promise<T>): Pending<T> {
  done.catch(() => {});
  return { done };
}

export function settled<T>(value: T): Pending<T> {
  return { done: value };
}

/**
 * What `next` makes of the value; at once where it is there, since most of a tree's entries are, and a promise costs more than
 * they do.
 *
 * @param rescue What stands for a value that failed to come
 */
export function then<T, Next>(
  { done }: Pending<T>,
  next: (value: T) => Next | Promise<Next>,
  rescue?: (error: unknown) => Next,
): Pending<Next> {
  if (done instanceof Promise) return pending(done.then(next, rescue));
  const result = next(done);
  return result instanceof Promise ? pending(result) : { done: result };
}
