/** Questions to workers that are not answered yet, by number. */
export class OpenRequests<Question, Answer> {
  readonly #open = new Map<number, {
    question: Question;
    resolve: (answer: Answer) => void;
    reject: (error: unknown) => void;
  }>();
  #next = 0;

  /** @param send Asks, under the number that the answer will bear */
  ask(question: Question, send: (number: number) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const number = this.#next++;
      this.#open.set(number, { question, resolve, reject });
      send(number);
    });
  }

  /** Gives the question back; undefined for a number that is not, or no longer, open. */
  answer(number: number, answer: Answer): Question | undefined {
    const open = this.#open.get(number);
    this.#open.delete(number);
    open?.resolve(answer);
    return open?.question;
  }

  fail(error: unknown): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { reject } of open) reject(error);
  }
}
