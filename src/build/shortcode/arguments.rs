//! Reads one shortcode tag: name, arguments, end.

use serde_json::{Number, Value};

use super::Call;

/// How a tag is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `{{< … >}}`
    Angle,
    /// `{{% … %}}`
    Percent,
    /// `{{ name(…) }}`
    ZolaInline,
    /// `{% name(…) %}`
    ZolaBody,
}

impl Form {
    /// The form of a tag that begins here, with its opening and closing marks.
    pub(super) fn at(text: &str) -> Option<(Self, &'static str, &'static str)> {
        if text.starts_with("{{<") {
            Some((Self::Angle, "{{<", ">}}"))
        } else if text.starts_with("{{%") {
            Some((Self::Percent, "{{%", "%}}"))
        } else if text.starts_with("{{") {
            Some((Self::ZolaInline, "{{", "}}"))
        } else if text.starts_with("{%") {
            Some((Self::ZolaBody, "{%", "%}"))
        } else {
            None
        }
    }

    /// Whether it is one of Hugo's, whose marks mean nothing else.
    pub(super) fn is_hugo(self) -> bool {
        matches!(self, Self::Angle | Self::Percent)
    }
}

/// One tag.
pub(super) struct Parsed {
    pub(super) call: Call,
    pub(super) closing: bool,
    pub(super) self_closing: bool,
}

/// A place in a tag's text.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Begins behind the opening mark.
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    /// Bytes read.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// Reads a whole tag.
    pub(super) fn tag(&mut self, form: Form, closer: &str) -> Option<Parsed> {
        if form.is_hugo() { self.hugo(form, closer) } else { self.zola(form, closer) }
    }

    fn hugo(&mut self, form: Form, closer: &str) -> Option<Parsed> {
        self.blank();
        let closing = self.eat("/");
        self.blank();
        let mut call = Call { name: self.name()?.to_owned(), markdown: form == Form::Percent, ..Call::default() };
        let mut self_closing = false;
        loop {
            let blank = self.blank();
            if self.eat(closer) {
                return Some(Parsed { call, closing, self_closing });
            }
            if self.rest().starts_with('/') && self.rest()[1..].trim_start().starts_with(closer) {
                self.at += 1;
                self_closing = true;
                continue;
            }
            if !blank {
                return None;
            }
            if let Some(key) = self.key() {
                let value = self.value()?;
                call.args.insert(key, value);
            } else {
                let value = self.value()?;
                call.positional.push(value);
            }
        }
    }

    fn zola(&mut self, form: Form, closer: &str) -> Option<Parsed> {
        self.blank();
        let mut call = Call { name: self.name()?.to_owned(), markdown: form == Form::ZolaBody, ..Call::default() };
        self.blank();
        if form == Form::ZolaBody && call.name == "end" && self.eat(closer) {
            return Some(Parsed { call: Call::default(), closing: true, self_closing: false });
        }
        if !self.eat("(") {
            return None;
        }
        loop {
            self.blank();
            if self.eat(")") {
                break;
            }
            let key = self.key()?;
            let value = self.list_or_value()?;
            call.args.insert(key, value);
            self.blank();
            if !self.eat(",") && !self.rest().starts_with(')') {
                return None;
            }
        }
        self.blank();
        self.eat(closer).then_some(Parsed { call, closing: false, self_closing: false })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn blank(&mut self) -> bool {
        let rest = self.rest();
        let length = rest.len() - rest.trim_start().len();
        self.at += length;
        length > 0
    }

    fn take(&mut self, allowed: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !allowed(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn name(&mut self) -> Option<&'a str> {
        let before = self.at;
        let mut name = self.take(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
        // `{{< name/>}}`: the slash ends the tag.
        if name.ends_with('/') {
            name = name.trim_end_matches('/');
            self.at = before + name.len();
        }
        (name.starts_with(|c: char| c.is_alphanumeric() || c == '_') && name.len() <= 100).then_some(name)
    }

    /// `key=`; nothing is read where there is none.
    fn key(&mut self) -> Option<String> {
        let before = self.at;
        let key = self.take(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).to_owned();
        self.blank();
        if !key.is_empty() && self.eat("=") {
            self.blank();
            return Some(key);
        }
        self.at = before;
        None
    }

    fn list_or_value(&mut self) -> Option<Value> {
        if !self.eat("[") {
            return self.value();
        }
        let mut items = Vec::new();
        loop {
            self.blank();
            if self.eat("]") {
                return Some(Value::Array(items));
            }
            items.push(self.value()?);
            self.blank();
            if !self.eat(",") && !self.rest().starts_with(']') {
                return None;
            }
        }
    }

    fn value(&mut self) -> Option<Value> {
        match self.rest().chars().next()? {
            '`' => {
                self.at += 1;
                let text = self.take(|c| c != '`').to_owned();
                self.eat("`").then_some(Value::String(text))
            }
            quote @ ('"' | '\'') => self.quoted(quote).map(Value::String),
            _ => {
                let word = self.take(|c| {
                    !c.is_whitespace()
                        && !matches!(c, '{' | '}' | '<' | '>' | '%' | '"' | '`' | '(' | ')' | ',' | '[' | ']')
                });
                (!word.is_empty()).then(|| typed(word))
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Option<String> {
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    c @ ('"' | '\'' | '\\' | '`') => text.push(c),
                    c => text.extend(['\\', c]),
                },
                c if c == quote => {
                    self.at += at + 1;
                    return Some(text);
                }
                c => text.push(c),
            }
        }
        None
    }
}

/// A word without quotes: a number or truth value where it looks like one.
fn typed(word: &str) -> Value {
    match word {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => word
            .parse::<i64>()
            .map(Value::from)
            .ok()
            .or_else(|| {
                word.parse::<f64>()
                    .ok()
                    .filter(|_| word.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
                    .and_then(Number::from_f64)
                    .map(Value::Number)
            })
            .unwrap_or_else(|| Value::String(word.to_owned())),
    }
}
