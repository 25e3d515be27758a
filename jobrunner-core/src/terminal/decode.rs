/// UTF-8 that comes in parts. What is none is shown as U+FFFD.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a character whose end has not come yet.
    begun: Vec<u8>,
}

impl Decoder {
    /// Decodes the next part.
    pub fn decode(&mut self, bytes: &[u8], mut take: impl FnMut(char)) {
        let mut bytes = bytes;
        while let [first, rest @ ..] = bytes
            && !self.begun.is_empty()
        {
            self.begun.push(*first);
            match std::str::from_utf8(&self.begun) {
                Ok(text) => {
                    text.chars().for_each(&mut take);
                    self.begun.clear();
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    // The byte does not belong to it, and is looked at by itself.
                    self.begun.clear();
                    take(char::REPLACEMENT_CHARACTER);
                    continue;
                }
            }
            bytes = rest;
        }
        for chunk in bytes.utf8_chunks() {
            chunk.valid().chars().for_each(&mut take);
            let invalid = chunk.invalid();
            let is_begun = bytes.ends_with(invalid)
                && invalid.as_ptr_range().end == bytes.as_ptr_range().end
                && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if is_begun {
                self.begun.extend_from_slice(invalid);
            } else if !invalid.is_empty() {
                take(char::REPLACEMENT_CHARACTER);
            }
        }
    }

    /// The rest of what was begun will not come.
    pub fn finish(&mut self, mut take: impl FnMut(char)) {
        if !self.begun.is_empty() {
            self.begun.clear();
            take(char::REPLACEMENT_CHARACTER);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_come_to_what_the_whole_does(
            bytes in proptest::collection::vec(
                prop_oneof![any::<u8>(), proptest::sample::select(b"a\xc3\xa9\xe6\x97\xa5\xf0\x9f\x91\xa9\xff".to_vec())],
                0..40,
            ),
            size in 1_usize..5,
        ) {
            let (mut decoder, mut text) = (Decoder::default(), String::new());
            for part in bytes.chunks(size) {
                decoder.decode(part, |character| text.push(character));
            }
            decoder.finish(|character| text.push(character));
            prop_assert_eq!(text, String::from_utf8_lossy(&bytes));
        }
    }
}
