import { AxiomError, isKind, messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { KeySlot, Master } from "../model/key_slot.ts";
import { type Secret, takesSecret } from "./secret.ts";
import type { StoredSlot } from "./slot_reader.ts";
import { openSlot } from "./slot_sealer.ts";

export interface OpenedSlot {
  id: string;
  slot: KeySlot;
  master: Master;
}

type UsableSlot = StoredSlot & { slot: KeySlot };

/** Finds the slots that a secret opens, and remembers what stood in the way of the others. */
export class SlotSearch {
  /** Slots that could not be used, with reasons; worth a warning even if another one opened. */
  readonly warnings: string[] = [];
  /** Slots by what became of them. */
  readonly #mismatched: string[] = [];
  readonly #ofOtherSecrets: string[] = [];
  readonly #unusable: AxiomError[] = [];
  /** The secret fits these, and yet they are of no use. */
  readonly #fitting: AxiomError[] = [];
  #found = 0;

  /** @param onDeriving Called once, when a key is being derived */
  constructor(readonly location: string, readonly secret: Secret, private onDeriving?: () => void) {}

  /** Yields each slot of one of `repositoryIds` that the secret opens; at most `LIMITS.keySlotsMax` are tried. */
  async *open(
    slots: readonly StoredSlot[],
    repositoryIds: ReadonlySet<string>,
    signal?: AbortSignal,
  ): AsyncGenerator<OpenedSlot> {
    this.#found = slots.length;
    const usable = slots.filter((slot) => this.#isUsable(slot, repositoryIds)) as UsableSlot[];
    for (const { id } of usable.slice(LIMITS.keySlotsMax)) {
      this.warnings.push(`Skipped the key slot ${id}: ${LIMITS.keySlotsMax} others are tried before it`);
    }
    for (const { id, slot } of usable.slice(0, LIMITS.keySlotsMax)) {
      const master = await this.#try(id, slot, signal);
      if (master !== undefined) yield { id, slot, master };
    }
  }

  /** Notes why not. */
  #isUsable({ id, slot, problem }: StoredSlot, repositoryIds: ReadonlySet<string>): boolean {
    if (problem !== undefined) this.#skip(id, problem, this.#unusable);
    else if (!repositoryIds.has(slot.repository_id)) {
      const why = `Cannot use the key slot ${id}: it belongs to the repository ${slot.repository_id}`;
      this.#skip(id, new AxiomError("data_damaged", why), this.#unusable);
    } else if (takesSecret(slot.kdf, this.secret)) return true;
    else this.#ofOtherSecrets.push(id);
    return false;
  }

  async #try(id: string, slot: KeySlot, signal?: AbortSignal): Promise<Master | undefined> {
    try {
      const opening = openSlot(slot, id, this.secret, signal);
      this.onDeriving?.();
      this.onDeriving = undefined;
      const master = await opening;
      if (master === undefined) this.#mismatched.push(id);
      return master;
    } catch (error) {
      // A secret that cannot be used at all is no matter of this slot.
      if (!isKind(error, "data_damaged", "kdf_failed")) throw error;
      this.#skip(id, error, error.kind === "data_damaged" ? this.#fitting : this.#unusable);
      return undefined;
    }
  }

  /** Notes that a slot opened and yet did not lead to a repository. */
  reject(id: string, why: AxiomError): void {
    this.#skip(id, why, this.#fitting);
  }

  #skip(id: string, why: AxiomError, among: AxiomError[]): void {
    among.push(why);
    this.warnings.push(`Skipped the key slot ${id}: ${messageOf(why)}`);
  }

  /** What to throw when no slot was of use. */
  failure(): AxiomError {
    const where = `Cannot open the repository ${this.location}`;
    const reasons = this.warnings.length === 0 ? "" : ` (${this.warnings.join("; ")})`;
    if (this.#found === 0) {
      return new AxiomError("object_missing", `${where}: it has no key slot`, { hint: RESTORE_SLOT });
    }
    if (this.#fitting.length > 0) {
      const message = `${where}: the ${this.#secretName} is right, but what it opens is damaged${reasons}`;
      return new AxiomError("data_damaged", message, { hint: RESTORE_KEYS, cause: this.#fitting[0] });
    }
    if (this.#mismatched.length + this.#ofOtherSecrets.length > 0) return this.#wrong(where, reasons);
    const same = new Set(this.#unusable.map((error) => error.kind)).size === 1 ? this.#unusable[0] : undefined;
    const slots = this.#found === 1 ? "its only key slot cannot be used" : "none of its key slots can be used";
    return new AxiomError(same?.kind ?? "data_damaged", `${where}: ${slots}${reasons}`, {
      hint: same?.hint ?? RESTORE_SLOT,
      cause: this.#unusable[0],
    });
  }

  #wrong(where: string, reasons: string): AxiomError {
    const tried = this.#mismatched.length;
    if (tried === 0) {
      const message =
        `${where}: none of its ${this.#ofOtherSecrets.length} usable key slots takes a ${this.#secretName}`;
      const other = this.secret.kind === "password" ? "key file" : "password";
      return new AxiomError("password_wrong", message + reasons, { hint: `Give the ${other} instead` });
    }
    const slots = tried === 1 ? "the 1 key slot that was tried" : `any of the ${tried} key slots that were tried`;
    return new AxiomError("password_wrong", `${where}: the ${this.#secretName} does not fit ${slots}${reasons}`, {
      hint: this.#unusable.length === 0
        ? "Check the secret; whoever can open the repository sees its slots by `axiom key list`"
        : "Check the secret. If it is that of a slot that cannot be used, put that file of keys/ back from a copy, or " +
          "open the repository with another password or key file",
    });
  }

  get #secretName(): string {
    return this.secret.kind === "password" ? "password" : "key file";
  }
}

const RESTORE_SLOT =
  "Put a file of keys/ back from a copy of the repository: only a slot and its password or key file open it";
const RESTORE_KEYS =
  "Put back the folders keys/, keyring/ and config/ from a copy; without them nothing can be decrypted";
