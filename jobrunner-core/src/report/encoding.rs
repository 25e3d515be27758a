use std::io::{self, BufRead, Read};

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8};

/// Where the declaration of a document ends at the latest.
const HEAD: usize = 512;

/// A document in UTF-8, whatever it is written in: what its byte order mark says, what its
/// declaration says, or UTF-8. What is malformed becomes U+FFFD.
pub(super) struct Decoded<R> {
    inner: io::Chain<io::Cursor<Vec<u8>>, R>,
    decoder: Decoder,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    is_at_end: bool,
}

impl<R: BufRead> Decoded<R> {
    /// # Errors
    /// The beginning cannot be read, or the declaration names an encoding that is not known.
    pub(super) fn new(mut document: R) -> io::Result<Self> {
        let mut head = Vec::with_capacity(HEAD);
        document.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        let encoding = match (Encoding::for_bom(&head), declared(&head)) {
            (Some((encoding, _)), _) => encoding,
            (None, None) => UTF_8,
            (None, Some(label)) => Encoding::for_label(label).ok_or_else(|| {
                let label = String::from_utf8_lossy(label);
                io::Error::new(io::ErrorKind::InvalidData, format!("unknown encoding {label:?}"))
            })?,
        };
        Ok(Self {
            inner: io::Cursor::new(head).chain(document),
            decoder: encoding.new_decoder_with_bom_removal(),
            buffer: vec![0; 16 * 1024].into_boxed_slice(),
            start: 0,
            end: 0,
            is_at_end: false,
        })
    }
}

/// The encoding that `<?xml … encoding="…" …?>` names, if a document begins so.
fn declared(head: &[u8]) -> Option<&[u8]> {
    let rest = head.strip_prefix(b"<?xml")?;
    let declaration = &rest[..find(rest, b"?>")?];
    let value = declaration[find(declaration, b"encoding")?..].strip_prefix(b"encoding")?;
    let value = value.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    let end = value.iter().position(|byte| byte == quote)?;
    Some(&value[..end])
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

impl<R: BufRead> BufRead for Decoded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.start == self.end && !self.is_at_end {
            let source = self.inner.fill_buf()?;
            let is_last = source.is_empty();
            let (result, read, written, _) =
                self.decoder.decode_to_utf8(source, &mut self.buffer, is_last);
            self.inner.consume(read);
            (self.start, self.end) = (0, written);
            self.is_at_end = is_last && result == CoderResult::InputEmpty;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, bytes: usize) {
        self.start = (self.start + bytes).min(self.end);
    }
}

impl<R: BufRead> Read for Decoded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let bytes = available.len().min(into.len());
        into[..bytes].copy_from_slice(&available[..bytes]);
        self.consume(bytes);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(document: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        Decoded::new(document)?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn a_document_is_read_in_the_encoding_that_it_declares() {
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe4\xf6</a>";
        assert!(decoded(latin).expect("text").ends_with("<a>äö</a>"));
        let utf16: Vec<u8> =
            "\u{feff}<a>ä€</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(&utf16).expect("text"), "<a>ä€</a>");
        assert_eq!(decoded(b"\xef\xbb\xbf<a/>").expect("text"), "<a/>");
        assert_eq!(decoded(b"").expect("text"), "");
    }

    #[test]
    fn what_is_malformed_is_replaced_and_an_unknown_encoding_is_an_error() {
        assert_eq!(decoded(b"<a>\xff\xe4</a>").expect("text"), "<a>\u{fffd}\u{fffd}</a>");
        let unknown = decoded(b"<?xml version=\"1.0\" encoding=\"x-none\"?><a/>");
        assert_eq!(unknown.expect_err("refused").to_string(), "unknown encoding \"x-none\"");
    }

    #[test]
    fn long_documents_come_whole() {
        let long = "<a>".to_owned() + &"é".repeat(100_000) + "</a>";
        assert_eq!(decoded(long.as_bytes()).expect("text"), long);
    }
}
