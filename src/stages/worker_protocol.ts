/**
 * What the owner of a repository and its data-path workers say to each other. Everything is structured-cloneable; byte
 * arrays that are sent once are transferred, not copied.
 */
import type { Bytes } from "../base/bytes.ts";
import type { ErrorReport } from "../base/errors.ts";
import type { ChunkerRecord, ContentElement } from "../model/entry.ts";
import type { ChunkKind } from "../model/chunk.ts";
import type { FileStat, MetadataLoss, Xattr } from "../platform/file_system.ts";
import type { DictionaryEntry } from "../model/pack_table.ts";
import type { PlainFrame } from "./frame_builder.ts";
import type { ChunkerRule } from "./choose_chunker.ts";
import type { FormatOrigin } from "./codec.ts";
import type { FramePlace } from "./frame.ts";
import type { PackedWrites } from "./packed_writes.ts";
import type { DedupSegment, DedupShare } from "./dedup_table.ts";
import type { StageCall, StageFault, StageOffer } from "./stage_offer.ts";

/** How a frame is to be encoded and sealed; frames never mix two of these. */
export interface FrameStyle {
  kind: ChunkKind;
  codec: string;
  level: number;
  /** Where a codec that can be replaced fails, the built-in zstd may encode instead. */
  mayFallBack?: boolean;
  /** Format id of the cipher. */
  cipher: string;
  /** Owner of the files, so that compression never mixes what two people own; -1 for metadata. */
  owner: number;
}

/** What a worker wants a place in a pack for. */
export interface FrameRequest {
  kind: ChunkKind;
  codec: FormatOrigin;
  cipher: FormatOrigin & { keyBytes: number };
  storedBytes: number;
  chunks: number;
  /** A place that was granted before, of which nothing arrived: the same one, for other stages. */
  again?: { pack: number; frame: number };
}

export interface SaveSettings {
  idKeys: { data: Bytes; plain: Bytes };
  chunkerKeys: { data: Bytes; plain: Bytes };
  bounds: { min: number; normal: number; max: number };
  frameTargetBytes: number;
  dedup: DedupShare;
  /** False reads no extended attributes. */
  xattrs: boolean;
}

/** One file to read, or one region of a huge one. */
export interface SaveFile {
  job: number;
  path: string;
  /** What the scan saw; another inode at `path` is `source_changed`. */
  inode: string;
  sizeBytes: number;
  mtimeNs: string;
  ctimeNs: string;
  style: FrameStyle;
  /** Decided already, for a file of several jobs. */
  chunker?: ChunkerRecord;
  chunkerRule?: ChunkerRule;
  /** How the last run cut it. */
  lastChunker?: ChunkerRecord;
  region?: FileRegion;
}

/** A part of a file: segments of data in order, and holes before and between them. */
export interface FileRegion {
  from: number;
  segments: { offset: number; length: number }[];
  /** True for the one whose job also reads extended attributes. */
  first: boolean;
}

export interface SavedFile {
  job: number;
  elements: ContentElement[];
  /** Length of the content, holes included. */
  contentBytes: number;
  /** Of the open file, taken after the last byte was read; absent if it is what the scan saw. */
  stat?: FileStat;
  chunker?: ChunkerRecord;
  xattrs?: Xattr[];
  /** Why there are no extended attributes, where they could not be read. */
  xattrFault?: ErrorReport;
  /** True if it kept changing while it was read. */
  changed?: boolean;
  /** Chunks and bytes that the repository lacked. */
  chunksNew?: number;
  bytesNew?: number;
  fault?: ErrorReport;
}

/** A frame that was sealed, opened again, decoded and its chunks verified. */
export interface SealedFrame {
  pack: number;
  frame: number;
  codec: number;
  cipher: number;
  kind: ChunkKind;
  sealed: Bytes;
  plainBytes: number;
  ids: Bytes;
  lengths: Uint32Array<ArrayBuffer>;
}

/** The owner's answer to a request for a place in a pack. */
export interface FrameGrant {
  pack: number;
  place: FramePlace;
}

/** A frame as a reader needs it: stored bytes, place, and who can decode it. */
export interface LoadFrame {
  sealed: Bytes;
  place: FramePlace;
  codec: DictionaryEntry;
  cipher: DictionaryEntry;
  plainBytes: number;
  ids: Bytes;
  lengths: Uint32Array<ArrayBuffer>;
  idKey: Bytes;
}

export type ToWorker =
  | { type: "save_settings"; settings: SaveSettings }
  | { type: "save"; files: SaveFile[] }
  | { type: "frame"; job: number; frame: PlainFrame }
  | { type: "segment"; segment: DedupSegment }
  | { type: "grant"; number: number; grant: FrameGrant }
  | { type: "flush" }
  | { type: "restore_settings"; settings: RestoreSettings }
  | { type: "release" }
  | { type: "load"; job: number; frame: LoadFrame; task: LoadTask }
  | { type: "compare"; job: number; file: CompareFile }
  /** The stages that are not built in, from the next frame on; `version` counts up. */
  | { type: "stages"; version: number; offers: readonly StageOffer[] }
  /** `output` where it went well. */
  | { type: "stage_answer"; number: number; output?: Bytes; report?: ErrorReport };

export type FromWorker =
  | { type: "ready" }
  | { type: "saved"; files: SavedFile[] }
  | { type: "request"; number: number; request: FrameRequest }
  | { type: "sealed"; frame: SealedFrame; job?: number }
  | { type: "flushed" }
  | { type: "released" }
  | { type: "loaded"; job: number; result: LoadResult }
  | { type: "compared"; job: number; result: CompareResult }
  | { type: "stage_call"; number: number; call: StageCall }
  | { type: "stage_refused"; number: number; fault: StageFault }
  /** No frame is made any more with the stages of this version. */
  | { type: "stages_left"; version: number }
  | { type: "failed"; report?: ErrorReport; message: string; stack?: string };

export interface RestoreSettings {
  /** The folder that everything is written below. */
  target: string;
}

/** What a worker does with a decoded frame, once its chunks were verified. */
export type LoadTask = { type: "write"; writes: PackedWrites } | { type: "verify" };

export interface LoadResult {
  /** Why nothing of the frame could be used. */
  fault?: ErrorReport;
  /** Numbers of chunks whose bytes are not what their id says; nothing that needs them was written. */
  badChunks: number[];
  outcomes: WriteOutcome[];
}

/** Of a file that was written with something to tell. */
export interface WriteOutcome {
  /** Its place in the task. */
  file: number;
  losses?: MetadataLoss[];
  fault?: WriteFault;
}

/** A failed system call at the target. */
export interface WriteFault {
  code: string;
  message: string;
}

/** A file of the target whose bytes are compared with a content, chunk by chunk. */
export interface CompareFile {
  path: string;
  /** Ids of 32 bytes each. */
  ids: Bytes;
  /** Offset and length of each chunk in turn. */
  places: Float64Array<ArrayBuffer>;
  /** Up to here, what lies between chunks has to read as zeros. */
  sizeBytes: number;
  idKey: Bytes;
}

export interface CompareResult {
  /** 1 where the file holds the chunk already. */
  same: Bytes;
  /** Offset of a byte that is not zero where the content has a hole. */
  dirtyHole?: number;
  fault?: WriteFault;
}
