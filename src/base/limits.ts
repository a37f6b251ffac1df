import { KIB, MIB } from "./bytes.ts";

/** Every bound on what can grow: value, unit in the name, reason in the comment. What is read is checked before memory is taken for it. */
export const LIMITS = {
  // Stored format: a reader refuses more, so a hostile repository cannot make it allocate without end.
  framePlainBytesMax: 4 * MIB, // a seal call of 4 MiB runs at full speed; memory is a few of these per worker
  metadataFramePlainBytesMax: 256 * KIB, // reading one tree must not decode 4 MiB
  framesPerPackMax: 65536, // frame numbers are u16 in the index
  chunksPerFrameMax: 65536, // 64-byte files in a 4 MiB frame
  chunksPerPackMax: 262_144, // written only: 8 MiB of index entries
  chunksPerPackReadMax: 524_280, // one index object must hold all of a pack, or an interruption would leave it known in part
  packBytesMax: 256 * MIB, // offsets stay far from 2^32
  packTableBytesMax: 64 * MIB, // 65,536 frames of many chunks
  packDictionaryEntriesMax: 255, // indexes are u8
  objectPlainBytesMax: 64 * MIB, // any envelope except packs
  indexPartitionBytesMax: 16 * MIB, // clients cache partitions
  treeNodeBytesMax: 256 * KIB, // 10^6 entries in one document took 1.6 GB
  treeDepthMax: 4096, // folders; beyond PATH_MAX nothing can be restored by path
  nameBytesMax: 4096, // one name; Linux allows 255
  xattrInlineBytesMax: 4 * KIB, // larger values are chunks
  xattrBytesMax: 64 * MIB, // sum per file; Linux allows 64 KiB each
  contentInlineChunksMax: 256, // longer lists are chunks of their own
  contentListDepthMax: 8,
  condemnedPacksMax: 10_000_000, // 320 TB in packs of 32 MiB
  keySlotsMax: 32, // tried per secret: each may cost as much as the KDF's caps allow
  keySlotObjectsMax: 256, // read while looking for those; a hostile store could list any number
  keySlotBytesMax: 16 * KIB, // one slot is about 1 KiB
  configBytesMax: 64 * KIB, // one config is about 1 KiB
  generationsTriedMax: 64, // of config and keyring, newest first, until one verifies
  labelBytesMax: 256,
  kdfMemoryKibMin: 19 * 1024, // written only: the least that OWASP recommends for Argon2id
  kdfMemoryKibMax: 1024 * 1024, // 1 GiB
  kdfTimeMax: 16,
  kdfLanesMax: 16,
  kdfIterationsMin: 600_000, // written only: OWASP for PBKDF2-HMAC-SHA256
  kdfIterationsMax: 10_000_000,
  keyFileBytesMin: 32,
  epochsMax: 65_535,

  // Running: queues and buffers. Peak memory is about workers × frames × framePlainBytesMax × 4.
  workersMax: 16,
  filesInFlightMax: 768, // files whose content is not yet known; each is an entry and a promise
  batchFilesMax: 128, // small files per message to a worker: a round trip is 60-170 µs
  batchBytesMax: 8 * MIB,
  batchesPerWorkerMax: 2,
  framesPerWorkerMax: 1, // being sealed or checked, while the next one fills
  framesAtWriterMax: 4, // sealed, waiting to be written to a pack
  regionBytes: 64 * MIB, // a huge file is cut into regions so that every core works on it
  fileHeadBytes: 128 * KIB, // read to tell a file's kind; the magic of btrfs lies at 64 KiB
  openFramesMax: 8, // frames being filled per worker: one per owner, codec and cipher
  scanSliceEntries: 512, // entries looked at between two turns of the event loop
  packedFolderEntriesMax: 65_536, // of a folder that is looked at in one go
  packedFolderNameBytesMax: 2 * MIB, // of their names
  knownFolderFilesMax: 8, // in the cache of one repository: one for each set of sources and rules
  knownFoldersMax: 200_000, // remembered from one backup to the next, some 100 bytes each
  earlyScanBytesMax: 16 * MIB, // kept of what is scanned while a key is derived: some 180,000 entries
  frameCacheBytes: 32 * MIB,
  cryptoKeysMax: 64, // imported AES keys per worker; one per open pack, kind and cipher
  rangeGapBytes: 64 * KIB, // ranges closer than this are read as one
  rangeBytesMax: 8 * MIB,
  framesRangeBytesMax: 1 * MIB, // frames read as one; a larger one comes alone, in a buffer that is not copied
  readAheadBytes: 8 * MIB, // of a file that is read in order: two frames while a third is written out
  readAheadChunks: 256, // holes and blocks of 4 KiB count too
  readAheadFrames: 3, // that those chunks lie in: each is decoded and kept as a whole
  bytesBetweenReleases: 48 * MIB, // of frames handled; then freed memory goes back to the system
  restoreBatchFiles: 4096, // planned and written together: some 5 MB; a frame is decoded once per batch
  checkErrorsMax: 10_000, // kept of one check, one per damaged object; more are only counted
  affectedPathsMax: 1000, // listed per damaged object; more are only counted
  affectedPathsAllMax: 100_000, // listed by one check, so that its result is not more than some tens of megabytes
  catalogueCacheBytes: 32 * MIB, // pages that SQLite keeps
  catalogueWaitMs: 2_000, // for another process that writes the catalogue; then its answer is had without it
  catalogueBatchRows: 50_000, // between two commits: half a second of work that an interruption loses
  catalogueBlocksKept: 512, // decoded groups of 512 names, some 16 MB
  catalogueRowsMax: 200_000, // entries that a search keeps, some 60 MB; with more it goes folder by folder
  catalogueGoneMin: 20, // removed snapshots before the catalogue is made anew to give their space back
  catalogueRetriesMax: 1000, // damaged folders that are tried again at each use
  catalogueMatchesMax: 100_000, // names; a pattern that more match is looked for folder by folder
  keyBytesMax: 200, // object keys; file names hold 255 bytes and `damaged/` adds a suffix
  keyPartsMax: 8, // folders below a repository that a listing descends into
  storeOpenFilesMax: 32, // idle files that a local store keeps open between ranged reads
  storeOpenFileIdleMs: 5_000, // older ones are opened again, in case another client repaired the object
  storeListParallel: 64, // sizes asked for at once while listing
  storeTemporaryAgeMs: 24 * 3600_000, // of a dead writer's file in `tmp/`; longer than machines are suspended overnight
  retryAttemptsMax: 7, // with the delays below about a minute in all
  retryDelayMs: 500, // upper end of the first random delay; doubles with each attempt
  retryDelayMsMax: 30_000,
  retryDeadlineMs: 15 * 60_000,
  passwordBytesMax: 64 * KIB,
  passwordFileBytesMax: 1 * MIB,
  configFileBytesMax: 4 * MIB,
  configDepthMax: 32, // the schema is four levels deep; a parser recurses once per level
  configNodesMax: 100_000, // values after aliases are put in, so that ten lines cannot become 10^9
  configErrorsMax: 20, // shown at once
  patternBytesMax: 4096, // PATH_MAX: a longer one matches nothing
  patternsMax: 100_000, // each is a compiled expression, tested against every entry
  patternCacheEntries: 64, // answers that the library keeps per pattern, then forgotten
  sourceListBytesMax: 1024 * MIB, // `--files-from`: about 10^7 paths
  progressIntervalMs: 100,
  signatureFileBytesMax: 16 * KIB, // of minisign: keys of 200 bytes, and signatures with a comment of 8 KiB
  bugReportsMax: 20, // files kept; a backup every minute must not fill a disk with them
  sameInterruptMs: 200, // from one SIGINT to the next by which the same Ctrl-C is told again
  errorCausesMax: 16, // followed from an error; a cause may be a cycle
  foreignPathsMax: 1000, // of what lies in a repository and is none of ours; told, not counted
  pinnedHeadsMax: 256, // lists of paths whose last snapshot a client remembers; each costs a request when it opens
  clockAheadMs: 24 * 3600_000, // a snapshot dated later than this from now is a clock's fault; time zones explain 14 hours
  heartbeatIntervalMs: 5 * 60_000,

  // Plugins: what admission lets in, before anything of it is compiled.
  pluginModuleBytesMax: 32 * MIB, // Go makes 1.8 MB, zstd is 0.5 MB
  pluginManifestBytesMax: 64 * KIB,
  pluginManifestDepthMax: 16, // levels; a configuration schema is the deepest part
  pluginManifestFaultsMax: 20, // shown at once
  pluginModuleItemsMax: 1_000_000, // functions, types, exports; V8 takes no more functions either
  pluginTableEntriesMax: 1_000_000, // sum over all tables, which lie outside of the memory that is capped: 8 MB
  pluginTablesMax: 16,
  pluginMemoryPagesDefault: 256, // of 64 KiB, where the manifest asks for nothing
  pluginCallMsDefault: 10_000, // of one call, where the manifest asks for nothing
  pluginLoadMs: 30_000, // until an instance is ready; 32 MB compile in a few seconds on a busy machine
  pluginCancelMs: 250, // for a plugin to notice that nobody waits any more, before it is stopped
  pluginIdleMs: 30_000, // an instance that nobody called is ended: each is a thread and some 20 MB
  pluginThreadEndMs: 3_000, // a thread that was stopped in a busy loop runs on for about two seconds
  pluginCallMsMax: 600_000, // a program that runs longer than this is no step of a backup
  pluginCanaryCalls: 20, // a new generation is on trial for so many calls and so long, whichever ends later
  pluginCanaryMs: 30_000,
  pluginFaultsMax: 3, // within the window below, then the generation before comes back
  pluginFaultWindowMs: 600_000,
  pluginKeptMs: 600_000, // a generation that was replaced can come back at once for so long
  pluginGenerationsKept: 4, // of one plugin, whatever their age: each holds its compiled module
  pluginPollMs: 1_000, // between two looks at what is installed, where nobody told of a change
  pluginSettleMs: 400, // a file that was put into the plugin folder is left alone until it is unchanged for so long
  pluginPauseMs: 5_000, // longer than a copy pauses: until then what cannot be read may be half a file
  pluginSourcesMax: 10_000, // files that `plugin dev` watches; each is looked at every second
  pluginBuildTextMax: 16 * KIB, // characters of what a build printed last
  controlMessageBytesMax: 256 * KIB, // to and from another process of this user: a list of a hundred plugins is 60 KiB
  controlAnswerMs: 60_000, // for another process to stage and probe a generation
  controlConnectionsMax: 8, // at once, of one process
  pluginKvBytesMax: 1 * MIB, // of one plugin's notes, keys and values
  pluginHttpBodyBytesMax: 80 * MIB, // of a request or a response: the largest pack that is written, with its table
  pluginCallOutputBytes: 64 * MIB, // of a call that a program makes itself, unless it says otherwise
  pluginListEntries: 1_000, // asked for at once of a storage or a source plugin
  pluginEmptyPagesMax: 1_000, // one after the other in a list of a storage plugin that says that there is more
  pluginStreamsMax: 100_000, // of one source plugin: names and entries of all are kept while they are saved, some 50 MB
  pluginStreamNameBytesMax: 255, // more than file systems can hold
  pluginStreamBytesMax: 1024 * 1024 * MIB, // of a stream whose length its plugin does not say: an endless one fails there
  pluginReadBytes: 1 * MIB, // of a stream, asked for at once: fits into the least memory that a plugin gets
  pluginCursorCharactersMax: 4096, // of a place in a list or a stream, and of the version of one
  pluginHttpHeadBytesMax: 32 * KIB, // headers of a request or a response; servers take 8 to 16 KiB
  pluginHttpConnectMs: 10_000, // for a connection, then for its encryption
  pluginHttpIdleMs: 30_000, // without a byte in either direction
  pluginHttpKeptMs: 10_000, // a connection that nobody uses; servers close theirs after 5 to 75 s
  pluginHttpKeptMax: 8,
  pluginKvWaitMs: 5_000, // for another process that writes them
  pluginContextBytesMax: 64 * KIB, // of what a plugin is told of an operation; web servers take as much without being asked
  pluginContextItemsMax: 100, // of one list in it, fewer where it would be too long
  pluginContextTextMax: 4096, // characters of one text in it
  pluginResultBytesMax: 1 * MIB, // of a stock module's answer; others are held to as much
  pluginMetricsMax: 100, // of one run after an operation
  pluginArtifactsMax: 100, // of the same
  pluginArtifactBytesMax: 4 * KIB, // PATH_MAX, or the address of something
  pluginFarewellMs: 2_000, // for notifications after an interruption
  pluginRecordsMax: 8, // of generations that are gone, per plugin: what `list` tells of the past
} as const;
