use jobrunner_core::terminal::{Run, Style};

/// Text as safe HTML: nothing of it is markup, and `span`s with classes show what terminals show in
/// colours.
pub(super) fn html(runs: &[Run]) -> String {
    let mut html = String::new();
    for run in runs {
        if run.style == Style::default() {
            escape(&mut html, &run.text);
            continue;
        }
        html.extend(["<span class=\"", &classes(run.style), "\">"]);
        escape(&mut html, &run.text);
        html.push_str("</span>");
    }
    html
}

fn classes(style: Style) -> String {
    let Style { foreground, background, bold, dim, italic, underline } = style;
    let mut classes = Vec::new();
    classes.extend(foreground.map(|colour| format!("f{colour}")));
    classes.extend(background.map(|colour| format!("b{colour}")));
    for (is_set, class) in [(bold, "bold"), (dim, "dim"), (italic, "it"), (underline, "ul")] {
        if is_set {
            classes.push(class.to_owned());
        }
    }
    classes.join(" ")
}

fn escape(html: &mut String, text: &str) {
    let mut rest = text;
    while let Some(place) = rest.find(['<', '>', '&', '"', '\'']) {
        let entity = match rest.as_bytes()[place] {
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'&' => "&amp;",
            b'"' => "&quot;",
            _ => "&#39;",
        };
        html.extend([&rest[..place], entity]);
        rest = &rest[place + 1..];
    }
    html.push_str(rest);
}

#[cfg(test)]
mod tests {
    use jobrunner_core::terminal::Terminal;

    fn html(text: &str) -> Vec<String> {
        let pieces = Terminal::default().push(text.as_bytes());
        pieces.iter().map(|piece| super::html(&piece.runs)).collect()
    }

    #[test]
    fn nothing_of_the_text_is_markup() {
        assert_eq!(html("<script>\"&'</pre>"), ["&lt;script&gt;&quot;&amp;&#39;&lt;/pre&gt;"]);
        assert_eq!(html("\x1b]0;<b>\n"), ["]0;&lt;b&gt;"]);
    }

    #[test]
    fn colours_become_classes_and_end_with_the_line() {
        assert_eq!(html("a\x1b[31mred\x1b[0mb"), ["a<span class=\"f1\">red</span>b"]);
        assert_eq!(
            html("\x1b[1;92mx\ny"),
            ["<span class=\"f10 bold\">x</span>", "<span class=\"f10 bold\">y</span>"]
        );
    }
}
