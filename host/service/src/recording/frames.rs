//! Records in a file: length, its check, the hash of what follows, compressed JSON.
//!
//! The length has a check of its own, so that a record that was not written to its end (a crash, which is
//! tolerated) is told from one that was altered (which is not).

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// How a file begins: name and version of the format.
pub(super) const MAGIC: &[u8; 8] = b"TARUNS1\n";
/// Length, check, hash.
pub(super) const HEAD: usize = 4 + 4 + 32;
/// The most that one record holds, compressed and not.
const FRAME_BYTES_MAX: u64 = 512 << 20;

/// Where a file's length reached the disk and its data did not, there are zeros from a multiple of this on.
const SECTOR: u64 = 512;

/// What was read.
pub(super) enum Frame {
    /// A record.
    Whole(Vec<u8>),
    /// The file ended before the record did, or its last data never reached the disk.
    Torn,
    /// The end of the file, between two records.
    End,
}

fn check(length: [u8; 4]) -> [u8; 4] {
    let hash = blake3::hash(&length);
    let bytes = hash.as_bytes();
    [bytes[0], bytes[1], bytes[2], bytes[3]]
}

/// The bytes of a record.
pub(super) fn frame(json: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(json)?;
    let payload = encoder.finish()?;
    let too_large = || std::io::Error::other("a record is larger than 4 GiB");
    let length = u32::try_from(payload.len()).map_err(|_| too_large())?.to_le_bytes();
    let mut bytes = Vec::with_capacity(HEAD + payload.len());
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(&check(length));
    bytes.extend_from_slice(blake3::hash(&payload).as_bytes());
    bytes.extend_from_slice(&payload);
    Ok(bytes)
}

/// As many bytes as there are, up to the length of `place`.
fn fill(from: &mut impl Read, place: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < place.len() {
        match from.read(&mut place[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Whether nothing but zeros follows.
fn is_all_zero(from: &mut impl Read) -> std::io::Result<bool> {
    let mut bytes = [0; 4096];
    loop {
        match fill(from, &mut bytes)? {
            0 => return Ok(true),
            filled if bytes[..filled].iter().any(|byte| *byte != 0) => return Ok(false),
            _ => {}
        }
    }
}

/// Whether `bytes`, which begin at `at` in their file, end in zeros as what was never written does.
fn is_cut(at: u64, bytes: &[u8]) -> bool {
    let end = at + bytes.len() as u64;
    let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count() as u64;
    (end - zeros).next_multiple_of(SECTOR) < end
}

/// The next record's compressed bytes, from `at` in its file. The inner error says in what way it is damaged.
pub(super) fn next(from: &mut impl Read, at: u64) -> std::io::Result<Result<Frame, String>> {
    let mut head = [0; HEAD];
    match fill(from, &mut head)? {
        0 => return Ok(Ok(Frame::End)),
        HEAD => {}
        _ => return Ok(Ok(Frame::Torn)),
    }
    let length = [head[0], head[1], head[2], head[3]];
    if check(length) != head[4..8] {
        if (head == [0; HEAD] || is_cut(at, &head)) && is_all_zero(from)? {
            return Ok(Ok(Frame::Torn));
        }
        return Ok(Err("its length is not the one that was written".to_owned()));
    }
    let length = u64::from(u32::from_le_bytes(length));
    if length > FRAME_BYTES_MAX {
        return Ok(Err(format!("it says that it has {length} bytes, which none has")));
    }
    let mut payload = Vec::new();
    from.take(length).read_to_end(&mut payload)?;
    if (payload.len() as u64) < length {
        return Ok(Ok(Frame::Torn));
    }
    if *blake3::hash(&payload).as_bytes() != head[8..HEAD] {
        if is_cut(at, &[&head[..], &payload].concat()) && is_all_zero(from)? {
            return Ok(Ok(Frame::Torn));
        }
        return Ok(Err("its bytes are not those that were written".to_owned()));
    }
    Ok(Ok(Frame::Whole(payload)))
}

/// What was compressed.
pub(super) fn inflate(payload: &[u8]) -> Result<Vec<u8>, String> {
    let mut json = Vec::new();
    let mut decoder = DeflateDecoder::new(payload).take(FRAME_BYTES_MAX + 1);
    decoder.read_to_end(&mut json).map_err(|error| error.to_string())?;
    if json.len() as u64 > FRAME_BYTES_MAX {
        return Err("it unpacks to more than a record may have".to_owned());
    }
    Ok(json)
}
