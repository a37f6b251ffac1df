/**
 * Gives a finished file its final name, without ever replacing an object.
 *
 * link(2) does that. Where it is refused (FAT, exFAT, some SMB and FUSE), rename(2) would replace silently, so a rename
 * needs a claim first. The claim is a folder `tmp/claim.<key>` which holds just the new file under a random name X. It is
 * made elsewhere and renamed into place, which fails while the claim of another is there, because a folder is never
 * renamed over one that holds something. Whoever holds the claim
 *
 *   1. sees that the claim holds X, 2. sees that the final name is free, 3. renames X to the final name,
 *
 * and anyone may do the same for a claim whose owner died. X is in the claim from 1 to 3, else 3 fails; meanwhile no other
 * file can be in a claim of this key, so none can take the final name after 2. No clock, no lock that stays behind.
 */
import { AxiomError } from "../base/errors.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import { codeOf, isMissing, isRefused } from "./file_errors.ts";
import { folderOf, type LocalPlace, MISSING } from "./local_place.ts";
import { TEMPORARY } from "./object_key.ts";

const CLAIM_ATTEMPTS_MAX = 200; // each that fails was overtaken by another client's success

export class LocalPublisher {
  /** Within this process claims would only contend. */
  readonly #claiming = new Semaphore(1);

  constructor(private readonly place: LocalPlace) {}

  /**
   * @param temporary Path of a synced file in `tmp/`; it is gone afterwards if the result is true
   * @returns False if the final name is taken, then or by a rival; the file may be gone
   */
  async publish(temporary: string, key: string): Promise<boolean> {
    const { place } = this;
    await place.folders.ensure(folderOf(key));
    try {
      return await this.#publish(temporary, key);
    } catch (error) {
      if (!isMissing(error)) throw error;
      if (!(await place.look(temporary))) {
        await place.checkRoot();
        throw new AxiomError("storage_busy", `Cannot store ${key}: its file in ${TEMPORARY}/ is gone`, {
          cause: error,
        });
      }
      place.folders.forget();
      await place.folders.ensure(folderOf(key));
      return await this.#publish(temporary, key);
    }
  }

  async #publish(temporary: string, key: string): Promise<boolean> {
    const { place } = this;
    if (!place.missing.has(MISSING.link)) {
      try {
        await place.ops.link(temporary, place.pathOf(key));
        await place.tidy(temporary);
        return true;
      } catch (error) {
        if (codeOf(error) === "EEXIST") return false;
        if (!isRefused(error, "EMLINK", "EACCES")) throw error;
        place.missing.add(MISSING.link);
      }
    }
    return await this.#claiming.run(() => this.#claim(temporary, key));
  }

  async #claim(temporary: string, key: string): Promise<boolean> {
    const { place } = this;
    const final = place.pathOf(key);
    const name = place.randomName();
    const own = place.temporaryPath(name);
    const claim = place.temporaryPath(`claim.${key.replaceAll("/", ",")}`);
    if (await place.look(final)) return false;
    if (place.missing.has(MISSING.exclusiveRename)) {
      await place.ops.rename(temporary, final);
      return true;
    }
    await place.ops.makeFolder(own);
    try {
      await place.ops.rename(temporary, `${own}/${name}`);
      for (let attempt = 0; attempt < CLAIM_ATTEMPTS_MAX; attempt++) {
        const outcome = await this.#takeClaim(own, claim);
        if (outcome === "unable") {
          place.missing.add(MISSING.exclusiveRename);
          if (await place.look(final)) return false;
          await place.ops.rename(`${own}/${name}`, final);
          return true;
        }
        const moved = await this.#settleClaim(claim, final);
        if (outcome === "held") return moved.includes(name);
      }
      throw new AxiomError("storage_busy", `Cannot store ${key}: too many clients store it at once`);
    } catch (error) {
      await place.ops.rename(`${own}/${name}`, temporary).catch(() => {});
      throw error;
    } finally {
      await place.tidy(`${own}/${name}`);
      await place.tidy(own);
    }
  }

  async #takeClaim(own: string, claim: string): Promise<"held" | "rival" | "unable"> {
    try {
      await this.place.ops.rename(own, claim);
      return "held";
    } catch (error) {
      const rival = await this.place.look(claim);
      if (rival) return "rival";
      if (codeOf(error) === "EEXIST" || codeOf(error) === "ENOTEMPTY") return "rival";
      if (isRefused(error, "EXDEV", "EACCES", "EISDIR")) return "unable";
      throw error;
    }
  }

  /** Moves what a claim holds to the final name if that is free, and ends the claim. Returns the names that it moved. */
  async #settleClaim(claim: string, final: string): Promise<string[]> {
    const moved: string[] = [];
    for (const name of await this.#namesIn(claim)) {
      if (await this.place.look(final)) {
        await this.place.tidy(`${claim}/${name}`);
        continue;
      }
      try {
        await this.place.ops.rename(`${claim}/${name}`, final);
        moved.push(name);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
    await this.place.tidy(claim);
    return moved;
  }

  async #namesIn(folder: string): Promise<string[]> {
    try {
      return await this.place.ops.readNames(folder);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }
}
