//! The one way of text into XML: whatever it holds, the document can be parsed.

/// An element that is being written. Its names are the code's own; attributes and text may be
/// anything.
pub struct Element<'a> {
    xml: &'a mut String,
    name: &'static str,
}

impl<'a> Element<'a> {
    /// Begins the start tag.
    #[must_use]
    pub fn begin(xml: &'a mut String, name: &'static str) -> Self {
        xml.extend(["<", name]);
        Self { xml, name }
    }

    /// Writes an attribute.
    #[must_use]
    pub fn attribute(self, name: &'static str, value: &str) -> Self {
        self.xml.extend([" ", name, "=\""]);
        escape(self.xml, value, Within::Attribute);
        self.xml.push('"');
        self
    }

    /// An attribute that is left out when there is no value.
    #[must_use]
    pub fn optional(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.attribute(name, value),
            None => self,
        }
    }

    /// Ends the start tag; the end tag is up to the caller.
    pub fn open(self) {
        self.xml.push('>');
    }

    /// Ends the element without any content.
    pub fn end(self) {
        self.xml.push_str("/>");
    }

    /// Ends the element, with text in it.
    pub fn text(self, text: &str) {
        self.xml.push('>');
        escape(self.xml, text, Within::Text);
        self.xml.extend(["</", self.name, ">"]);
    }
}

/// Returns the characters of a text, with U+FFFD for those that XML 1.0 does not have.
pub(super) fn characters(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|it| if is_char(it) { it } else { char::REPLACEMENT_CHARACTER })
}

/// The production `Char` of XML 1.0. No reference stands for any other character either.
const fn is_char(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..
    )
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Attribute,
    Text,
}

/// Writes text so that a parser reads exactly its [`characters`].
fn escape(xml: &mut String, text: &str, within: Within) {
    for character in characters(text) {
        match character {
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '&' => xml.push_str("&amp;"),
            '"' => xml.push_str("&quot;"),
            // A parser would make a newline of it.
            '\r' => xml.push_str("&#13;"),
            // A parser would make spaces of them.
            '\n' if within == Within::Attribute => xml.push_str("&#10;"),
            '\t' if within == Within::Attribute => xml.push_str("&#9;"),
            other => xml.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Text with many of the characters that are special to XML, or are none of its own.
    fn text() -> impl Strategy<Value = String> {
        let special = proptest::sample::select(
            "<>&\"'\t\n\r\0\u{1}\u{8}\u{b}\u{c}\u{1b}\u{1f}\u{7f}\u{85}\u{9f}\u{2028}]\u{d7ff}\u{e000}\u{feff}\
             \u{fffd}\u{fffe}\u{ffff}\u{10000}\u{1fffe}\u{1ffff}\u{10fffe}\u{10ffff} "
                .chars()
                .collect::<Vec<_>>(),
        );
        let any = prop_oneof![special, any::<char>()];
        proptest::collection::vec(any, 0..40)
            .prop_map(|characters| characters.into_iter().collect())
    }

    proptest! {
        #[test]
        fn a_parser_reads_what_was_written(name in text(), content in text()) {
            let mut xml = String::new();
            Element::begin(&mut xml, "outer").attribute("name", &name).open();
            Element::begin(&mut xml, "inner").attribute("again", &name).text(&content);
            Element::begin(&mut xml, "empty").optional("no", None).end();
            xml.push_str("</outer>");
            let document = roxmltree::Document::parse(&xml);
            let document = document.map_err(|error| TestCaseError::fail(format!("{error}: {xml:?}")))?;
            let [name, content] = [name, content].map(|it| characters(&it).collect::<String>());
            let outer = document.root_element();
            prop_assert_eq!(outer.attribute("name"), Some(name.as_str()));
            let inner = outer.first_element_child().expect("an element");
            prop_assert_eq!(inner.attribute("again"), Some(name.as_str()));
            prop_assert_eq!(inner.text().unwrap_or_default(), content);
            prop_assert_eq!(outer.last_element_child().map(|it| it.attributes().count()), Some(0));
        }
    }

    #[test]
    fn what_xml_does_not_have_is_shown_as_replaced() {
        for outside in ['\0', '\u{8}', '\u{b}', '\u{1b}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
            assert_eq!(characters(&format!("a{outside}b")).collect::<String>(), "a\u{fffd}b");
        }
        for inside in ['\t', '\n', '\r', '\u{7f}', '\u{85}', '\u{e000}', '\u{1fffe}', '\u{10ffff}']
        {
            assert_eq!(
                characters(&format!("a{inside}b")).collect::<String>(),
                format!("a{inside}b")
            );
        }
    }
}
