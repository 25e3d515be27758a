//! Which of two streams was written when. Both come through pipes of their own, so it is known only
//! in which order they were read: what a command writes to both within the same moment may be read
//! the other way round.

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::{LogChunk, Stream};

/// Where the other stream was when a piece of a stream was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Where the piece begins, in bytes of its own stream.
    pub offset: u64,
    /// How many bytes of the other stream had been read before.
    pub other: u64,
}

/// Part of a stream that was read without anything of the other between, or a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// How many bytes of both streams had been read before: pieces of both in the order of this
    /// number are in the order in which they were read.
    pub(crate) place: u64,
    pub(crate) stream: Stream,
    pub(crate) offset: u64,
    pub(crate) content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Bytes(Bytes),
    /// So many bytes were not kept.
    Gap(u64),
}

impl Piece {
    /// The offset just behind it.
    pub(crate) fn end(&self) -> u64 {
        self.offset + self.len()
    }

    fn len(&self) -> u64 {
        match &self.content {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Gap(bytes) => *bytes,
        }
    }
}

/// Where both streams together were; a stream whose order is not known follows behind the other.
fn place(stream: Stream, offset: u64, other: Option<u64>) -> u64 {
    let unknown = match stream {
        Stream::Stdout => 0,
        Stream::Stderr => u64::MAX / 2,
    };
    offset.saturating_add(other.unwrap_or(unknown))
}

impl LogChunk {
    /// The parts of the chunk from `from` on, each from a mark to the next: where, what the other
    /// stream was at, the bytes.
    fn parts(&self, from: u64) -> Vec<(u64, Option<u64>, Bytes)> {
        let start = from.max(self.offset);
        let mut known = self.marks.iter().copied().filter(|mark| mark.offset < self.end());
        let mut other = None;
        let mut next = known.next();
        let mut at = start;
        let mut parts = Vec::new();
        while at < self.end() {
            while let Some(mark) = next.filter(|mark| mark.offset <= at) {
                other = Some(mark.other);
                next = known.next();
            }
            let end = next.map_or(self.end(), |mark| mark.offset);
            let within = |offset: u64| usize::try_from(offset - self.offset).unwrap_or(usize::MAX);
            parts.push((at, other, self.bytes.slice(within(at)..within(end))));
            at = end;
        }
        parts
    }
}

/// What chunks of one stream hold from an offset on. A character of UTF-8 is not cut in two; what
/// may be the beginning of one at the very end is left for the next time, unless nothing more will
/// come and there is nothing else.
pub(crate) fn pieces(
    stream: Stream,
    from: u64,
    chunks: &[LogChunk],
    nothing_more: bool,
) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = from;
    // The beginning of a character, with its place.
    let mut held: Option<(u64, u64, BytesMut)> = None;
    let mut push = |place, offset, content| pieces.push(Piece { place, stream, offset, content });
    for (start, other, bytes) in chunks.iter().flat_map(|chunk| chunk.parts(from)) {
        if start > at {
            if let Some((place, offset, bytes)) = held.take() {
                push(place, offset, Content::Bytes(bytes.freeze()));
            }
            push(place(stream, start, other), at, Content::Gap(start - at));
        }
        at = start + bytes.len() as u64;
        let (place, start, bytes) = match held.take() {
            Some((place, start, mut begun)) => {
                begun.extend_from_slice(&bytes);
                (place, start, begun.freeze())
            }
            None => (place(stream, start, other), start, bytes),
        };
        let whole = whole_characters(&bytes);
        if whole < bytes.len() {
            let place = place.saturating_add(whole as u64);
            held = Some((place, start + whole as u64, BytesMut::from(&bytes[whole..])));
        }
        if whole > 0 {
            push(place, start, Content::Bytes(bytes.slice(..whole)));
        }
    }
    if let Some((place, offset, bytes)) = held
        && nothing_more
        && pieces.is_empty()
    {
        pieces.push(Piece { place, stream, offset, content: Content::Bytes(bytes.freeze()) });
    }
    pieces
}

/// The pieces of both streams in their order, as far as it is known: behind the end of what was
/// read of one stream there may be more of it that comes before what was read of the other.
pub(crate) fn merge(streams: [Vec<Piece>; 2]) -> Vec<Piece> {
    let end = |pieces: &Vec<Piece>| pieces.last().map(|last| last.place.saturating_add(last.len()));
    let known = streams.iter().filter_map(end).min().unwrap_or(0);
    let mut pieces: Vec<Piece> = streams.into_iter().flatten().collect();
    pieces.retain(|piece| piece.place < known);
    pieces.sort_by_key(|piece| piece.place);
    pieces
}

/// How many of the bytes do not belong to a character of UTF-8 that is cut off at their end.
fn whole_characters(bytes: &[u8]) -> usize {
    let is_start = |byte: u8| byte & 0b1100_0000 != 0b1000_0000;
    let tail = bytes.len().saturating_sub(3)..bytes.len();
    for place in tail.rev() {
        let wanted = match bytes[place] {
            byte if byte >= 0b1111_0000 => 4,
            byte if byte >= 0b1110_0000 => 3,
            byte if byte >= 0b1100_0000 => 2,
            byte if is_start(byte) => return bytes.len(),
            _ => continue,
        };
        return if bytes.len() - place < wanted { place } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(stream: Stream, offset: u64, bytes: &str, marks: &[(u64, u64)]) -> LogChunk {
        let marks = marks.iter().map(|&(offset, other)| Mark { offset, other }).collect();
        LogChunk { stream, offset, bytes: Bytes::copy_from_slice(bytes.as_bytes()), marks }
    }

    fn told(pieces: Vec<Piece>) -> Vec<String> {
        let text = |piece: Piece| match piece.content {
            Content::Bytes(bytes) => {
                format!("{} {}", piece.stream.as_str(), String::from_utf8_lossy(&bytes))
            }
            Content::Gap(bytes) => format!("{} gap {bytes}", piece.stream.as_str()),
        };
        pieces.into_iter().map(text).collect()
    }

    fn both(stdout: &[LogChunk], stderr: &[LogChunk], from: [u64; 2]) -> Vec<String> {
        told(merge([
            pieces(Stream::Stdout, from[0], stdout, true),
            pieces(Stream::Stderr, from[1], stderr, true),
        ]))
    }

    #[test]
    fn two_streams_are_told_in_the_order_in_which_they_were_read() {
        let stdout = [
            chunk(Stream::Stdout, 0, "abcd", &[(0, 0), (2, 2)]),
            chunk(Stream::Stdout, 4, "ef", &[(4, 3)]),
        ];
        let stderr = [chunk(Stream::Stderr, 0, "ABC", &[(0, 2), (2, 4)])];
        let all = ["stdout ab", "stderr AB", "stdout cd", "stderr C"];
        // What was read of stderr ends here, so what is behind is told the next time.
        assert_eq!(both(&stdout, &stderr, [0, 0]), all);
        assert_eq!(both(&stdout, &[], [4, 3]), ["stdout ef"]);
        assert_eq!(
            both(&stdout, &stderr, [1, 1]),
            ["stdout b", "stderr B", "stdout cd", "stderr C"]
        );
    }

    #[test]
    fn without_marks_a_stream_follows_behind_the_other() {
        let stdout = [chunk(Stream::Stdout, 0, "ab", &[])];
        let stderr = [chunk(Stream::Stderr, 0, "AB", &[])];
        assert_eq!(both(&stdout, &stderr, [0, 0]), ["stdout ab"]);
        assert_eq!(both(&[], &stderr, [2, 0]), ["stderr AB"]);
    }

    #[test]
    fn a_gap_stands_before_what_follows_it() {
        let stdout = [
            chunk(Stream::Stdout, 0, "ab", &[(0, 0)]),
            chunk(Stream::Stdout, 12, "cd", &[(12, 1)]),
        ];
        let stderr = [chunk(Stream::Stderr, 0, "A", &[(0, 5)])];
        let first = ["stdout ab", "stderr A"];
        assert_eq!(both(&stdout, &stderr, [0, 0]), first);
        assert_eq!(both(&stdout, &[], [2, 1]), ["stdout gap 10", "stdout cd"]);
    }

    #[test]
    fn a_character_is_put_together_again() {
        let all = "aü世🦀".as_bytes();
        for cut in 0..=all.len() {
            let part = |bytes: &[u8], offset: u64| LogChunk {
                stream: Stream::Stdout,
                offset,
                bytes: Bytes::copy_from_slice(bytes),
                marks: vec![Mark { offset, other: offset }],
            };
            let chunks = [part(&all[..cut], 0), part(&all[cut..], cut as u64)];
            let pieces = pieces(Stream::Stdout, 0, &chunks, false);
            let texts: Vec<_> = pieces
                .into_iter()
                .map(|piece| match piece.content {
                    Content::Bytes(bytes) => String::from_utf8(bytes.into()).expect("whole"),
                    Content::Gap(_) => panic!("a gap at {cut}"),
                })
                .collect();
            assert_eq!(texts.concat().as_bytes(), all, "{cut}");
        }
    }

    #[test]
    fn a_character_that_is_cut_off_is_held_back() {
        let text = "aü世🦀".as_bytes();
        let whole: Vec<usize> =
            (0..=text.len()).map(|end| whole_characters(&text[..end])).collect();
        assert_eq!(whole, [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10]);
        assert_eq!(whole_characters(b"a\xff\xfe"), 2, "what looks like a beginning is waited for");
        assert_eq!(whole_characters(b"\x80\x80\x80\x80"), 4, "what is no character is not");
        let cut = [LogChunk {
            stream: Stream::Stdout,
            offset: 0,
            bytes: Bytes::from_static(b"\xc3"),
            marks: Vec::new(),
        }];
        assert_eq!(pieces(Stream::Stdout, 0, &cut, false), []);
        assert_eq!(pieces(Stream::Stdout, 0, &cut, true).len(), 1);
    }
}
