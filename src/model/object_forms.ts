/** The forms of all keys of format 1; whatever else a store holds does not belong to the repository. */
const HEX_32 = "[0-9a-f]{32}";
const HEX_64 = "[0-9a-f]{64}";

const FORMS = {
  config: /^config\/([0-9]{10})$/,
  slot: new RegExp(`^keys/(${HEX_32})$`),
  keyring: /^keyring\/([0-9]{10})$/,
  pack: /^packs\/([0-9a-f]{2})\/(?=\1)([0-9a-f]{64})$/,
  index: new RegExp(`^index/(${HEX_64})$`),
  snapshot: new RegExp(`^snapshots/(${HEX_32})$`),
  marker: new RegExp(`^snapshots/(${HEX_32})\\.ok$`),
  session: new RegExp(`^sessions/(${HEX_32})$`),
  heartbeat: new RegExp(`^sessions/(${HEX_32})\\.[1-9][0-9]{0,9}$`),
  condemned: /^condemned\/([0-9a-z]{1,64})$/,
  ledger: /^ledger\/([0-9]{10})$/,
  codec: new RegExp(`^codecs/(${HEX_64})\\.wasm$`),
  codec_signature: new RegExp(`^codecs/(${HEX_64})\\.wasm\\.minisig$`),
  audit: /^audit\/([0-9a-z_-]{1,64}\/[0-9]{10})$/,
  damaged: /^damaged\/(.+)$/,
} as const;

export type ObjectFormType = keyof typeof FORMS;

export interface ObjectForm {
  type: ObjectFormType;
  /** What tells it from others of its type: an id, a hash or a number as text. */
  name: string;
}

/** What an object is by its key; undefined if it is foreign. */
export function objectForm(key: string): ObjectForm | undefined {
  for (const [type, form] of Object.entries(FORMS)) {
    const match = form.exec(key);
    if (match !== null) return { type: type as ObjectFormType, name: match.at(-1)! };
  }
  return undefined;
}
