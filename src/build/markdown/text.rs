//! Words and the lead of a body: for reading times, descriptions and summaries.

/// Longest text before `<!--more-->` that is kept, in bytes.
const LEAD_LIMIT: usize = 100_000;
/// Words in a summary where no `<!--more-->` ends it.
const SUMMARY_WORDS: usize = 70;
/// Longest summary in bytes, for scripts without blanks between words.
const SUMMARY_LIMIT: usize = 1_200;

/// Bytes looked at together, so that a machine can look at many at once.
const BLOCK: usize = 32;

/// Text with runs of whitespace folded, and a count of all words that went in.
#[derive(Debug, Default)]
pub(super) struct Folded {
    text: String,
    words: usize,
    in_word: bool,
    gap: bool,
    limit: usize,
    /// Blanks that may still be written before the text is cut.
    blanks: usize,
    cut: bool,
}

impl Folded {
    fn new(limit: usize) -> Self {
        Self { limit, blanks: usize::MAX, ..Self::default() }
    }

    fn push(&mut self, text: &str) {
        let mut rest = if self.limit == 0 { self.count(text) } else { text };
        while let Some(first) = rest.chars().next() {
            if self.cut && self.blanks == 0 {
                return;
            }
            let run = rest.bytes().take_while(u8::is_ascii_graphic).count();
            if run > 0 {
                self.push_run(&rest[..run]);
                rest = &rest[run..];
                continue;
            }
            rest = &rest[first.len_utf8()..];
            if first.is_whitespace() {
                self.gap();
            } else if !first.is_control() {
                self.push_char(first);
            }
        }
    }

    /// Counts words where no text is kept, up to the first character beyond ASCII; the rest.
    fn count<'t>(&mut self, text: &'t str) -> &'t str {
        let end = if text.is_ascii() { text.len() } else { text.bytes().take_while(u8::is_ascii).count() };
        let (text, rest) = text.split_at(end);
        let (blocks, last) = text.as_bytes().as_chunks();
        for block in blocks {
            self.count_block(block);
        }
        self.count_bytes(last);
        rest
    }

    /// Counts the words of ASCII where each begins with a letter or a digit, as most do: many bytes at once.
    fn count_block(&mut self, block: &[u8; BLOCK]) {
        let mut before = [if self.in_word { b'a' } else { b' ' }; BLOCK];
        before[1..].copy_from_slice(&block[..BLOCK - 1]);
        let (mut begun, mut signs) = (0_u8, false);
        for (&byte, &before) in block.iter().zip(&before) {
            let begins = is_blank(before) & !is_blank(byte);
            begun += u8::from(begins);
            signs |= begins & !is_part(byte);
        }
        if signs {
            return self.count_bytes(block);
        }
        self.words += usize::from(begun);
        self.in_word = !is_blank(block[BLOCK - 1]);
    }

    fn count_bytes(&mut self, bytes: &[u8]) {
        // Without a branch: where words begin and end cannot be foreseen.
        let (mut words, mut in_word) = (self.words, usize::from(self.in_word));
        for byte in bytes.iter().copied() {
            let (part, blank) = (usize::from(is_part(byte)), usize::from(is_blank(byte)));
            words += part & (in_word ^ 1);
            in_word = (in_word | part) & (blank ^ 1);
        }
        (self.words, self.in_word) = (words, in_word == 1);
    }

    /// Letters, digits and signs of ASCII: most of most texts, so they go in at once.
    fn push_run(&mut self, run: &str) {
        if self.limit > 0 && (self.cut || self.text.len() + run.len() + 1 > self.limit) {
            return run.chars().for_each(|c| self.push_char(c));
        }
        if !self.in_word && run.bytes().any(|b| b.is_ascii_alphanumeric()) {
            self.words += 1;
            self.in_word = true;
        }
        if self.limit == 0 {
            return;
        }
        self.fill_gap();
        self.text.push_str(run);
    }

    /// Writes the blank between two words; the last one that is wanted ends the text with the word behind it.
    fn fill_gap(&mut self) {
        if self.gap && !self.text.is_empty() {
            self.text.push(' ');
            self.blanks -= 1;
            self.cut |= self.blanks == 0;
        }
        self.gap = false;
    }

    fn gap(&mut self) {
        self.gap = true;
        self.in_word = false;
    }

    fn push_char(&mut self, c: char) {
        // Scripts written without blanks: each character counts, as word processors do it.
        if is_ideograph(c) {
            self.words += 1;
            self.in_word = false;
        } else if !self.in_word && c.is_alphanumeric() {
            self.words += 1;
            self.in_word = true;
        }
        if self.text.len() + c.len_utf8() + 1 > self.limit {
            self.cut = true;
            return;
        }
        self.fill_gap();
        if !self.cut {
            self.text.push(c);
        }
    }
}

/// Blanks of ASCII.
fn is_blank(byte: u8) -> bool {
    (byte == b' ') | (byte.wrapping_sub(b'\t') < 5)
}

/// Letters and digits of ASCII, which make a word.
fn is_part(byte: u8) -> bool {
    (byte.wrapping_sub(b'0') < 10) | ((byte | 0x20).wrapping_sub(b'a') < 26)
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Counts the words of a page and keeps its lead, as its events pass.
#[derive(Debug)]
pub(super) struct Collector {
    all: Folded,
    lead: Folded,
    lead_done: bool,
    /// Inside something a summary leaves out: headings, tables, footnotes.
    pub(super) aside: usize,
    /// Whether `<!--more-->` was seen.
    pub(super) has_more: bool,
}

impl Default for Collector {
    fn default() -> Self {
        Self { all: Folded::new(0), lead: Folded::new(0), lead_done: true, aside: 0, has_more: false }
    }
}

impl Collector {
    /// For a body: where no comment can end the lead, no more of it is kept than a summary shows.
    pub(super) fn of(body: &str) -> Self {
        let lead = if body.contains("<!--") {
            Folded::new(LEAD_LIMIT)
        } else {
            Folded { blanks: SUMMARY_WORDS, ..Folded::new(2 * SUMMARY_LIMIT) }
        };
        Self { lead, lead_done: false, ..Self::default() }
    }

    /// Text of the page.
    pub(super) fn push(&mut self, text: &str) {
        self.all.push(text);
        if !self.lead_done && !self.lead.cut && self.aside == 0 {
            self.lead.push(text);
        }
    }

    /// End of a block or a line.
    pub(super) fn gap(&mut self) {
        self.all.gap();
        self.lead.gap();
    }

    /// `<!--more-->`: the summary ends here, the first time.
    pub(super) fn more(&mut self) {
        self.has_more = true;
        self.lead_done = true;
    }

    /// Words, summary.
    pub(super) fn finish(self) -> (usize, String) {
        let summary = if self.has_more { self.lead.text } else { shorten(&self.lead.text) };
        (self.all.words, summary)
    }
}

/// The first words of folded text, with an ellipsis where something was left out.
fn shorten(text: &str) -> String {
    let mut end = text.len();
    for (words, (at, _)) in text.match_indices(' ').enumerate() {
        if words + 1 == SUMMARY_WORDS || at > SUMMARY_LIMIT {
            end = at;
            break;
        }
    }
    if end > SUMMARY_LIMIT {
        end = (0..=SUMMARY_LIMIT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        end = text[..end].rfind(' ').filter(|at| *at > SUMMARY_LIMIT / 2).unwrap_or(end);
    }
    if end == text.len() {
        return text.to_owned();
    }
    format!("{}…", text[..end].trim_end_matches([',', ';', ':', '.', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_past_the_limit_and_in_scripts_without_blanks() {
        let mut text = Folded::new(8);
        text.push("one  two\nthree — four's 日本");
        assert_eq!(text.words, 6);
        assert_eq!(text.text, "one two");
        let mut counted = Folded::new(0);
        counted.push("one  two\nthree — four's 日本 -- 5\u{7}6é a");
        assert_eq!((counted.words, counted.text.as_str()), (8, ""));
    }

    #[test]
    fn a_word_is_what_has_a_letter_or_a_digit_between_blanks() {
        // Blocks in which no word begins with a sign are counted in another way: both have to come.
        let mixed = b"abcXYZ019    \t\n\r\x0b\x0c-'(.&\x07";
        let mut plain = b"abcdefghijklmnopqrstuvwxyzABYZ0129 \t\n".repeat(3);
        plain.push(b'-');
        let mut state = 1_u64;
        for length in 0..400 {
            let mut random = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as usize
            };
            let signs = if length % 2 == 0 { &mixed[..] } else { &plain };
            let text: String = (0..length).map(|_| char::from(signs[random() % signs.len()])).collect();
            let cut = random() % (length + 1);
            let mut counted = Folded::new(0);
            counted.push(&text[..cut]);
            counted.push(&text[cut..]);
            let blank = |c: char| matches!(c, '\t'..='\r' | ' ');
            let words = text.split(blank).filter(|part| part.contains(|c: char| c.is_ascii_alphanumeric()));
            assert_eq!(counted.words, words.count(), "{text:?} cut at {cut}");
        }
    }

    #[test]
    fn a_summary_does_not_depend_on_how_much_lead_is_kept() {
        let ideographs = "語".repeat(3_000);
        let letters = "a".repeat(3_000);
        let words = vec!["word,"; 600].join(" ");
        let beyond = vec!["\u{fc}"; 600].join(" ");
        for text in
            [&ideographs, &letters, &words, &beyond, &format!("{letters} {words}"), &format!("{words} {ideographs}")]
        {
            let (mut short, mut long) = (Collector::of(text), Collector::of(&format!("{text}<!--")));
            short.push(text);
            long.push(text);
            assert_eq!(short.finish(), long.finish());
        }
    }

    #[test]
    fn summaries_end_at_a_word() {
        let text = vec!["word"; 100].join(" ");
        let short = shorten(&text);
        assert_eq!(short.split(' ').count(), 70);
        assert!(short.ends_with("word…"));
        assert!(shorten(&"語".repeat(5000)).len() <= SUMMARY_LIMIT + 3);
        assert_eq!(shorten("a b"), "a b");
    }
}
