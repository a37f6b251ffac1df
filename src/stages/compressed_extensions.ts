/**
 * Extensions of files that their own format compresses or encrypts: what zstd could still save is not worth its time, nor the
 * time of a probe. Not here: formats of which only some files or parts are compressed (pdf, tiff, iso, qcow2, camera raw,
 * parquet), which the probe of each frame judges by its bytes; and extensions that programs use as well, such as ts and mts
 * (films or TypeScript), dts (sound or device trees) and snap (packages or snapshots of tests).
 */
export const COMPRESSED_EXTENSIONS: readonly string[] = [
  // Archives and single compressed files
  ..."7z ace alz arj br bz2 cab gz lha lrz lz lz4 lzh lzma lzo rar rz sit sitx sz tbz tbz2 tgz tlz txz".split(" "),
  ..."tzst xz z zip zipx zst".split(" "),
  // Packages and documents that are such archives inside
  ..."aab aar apk appx cbr cbz conda crx deb docm docx egg ear epub ipa jar jmod kmz msix nupkg odg odp".split(" "),
  ..."ods odt pptm pptx rpm sketch vsix war whl xlsb xlsm xlsx xpi".split(" "),
  // Disk images that are written once, compressed
  ..."dmg esd squashfs swm wim".split(" "),
  // Pictures
  ..."avif gif heic heif jfif jp2 jpe jpeg jpg jxl jxr png webp".split(" "),
  // Sound
  ..."aac ac3 alac amr ape eac3 flac m4a m4b mka mp2 mp3 mpc oga ogg opus ra wma wv".split(" "),
  // Films
  ..."3g2 3gp asf avi divx f4v flv m2ts m2v m4v mkv mov mp4 mpeg mpg ogm ogv rm rmvb vob webm wmv".split(" "),
  // Fonts
  ..."woff woff2".split(" "),
  // Encrypted
  ..."age gpg kdbx p12 pfx pgp".split(" "),
];
