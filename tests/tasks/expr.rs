//! The small language of checks: paths into answers, arithmetic, and one comparison.
//!
//! `$1.orders[symbol=AAPL].stopPrice == sim.orders[orderId=1234567890].stopPrice`

/// A figure or a text, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    Number(f64),
    Text(String),
    /// What the scope has by that name.
    Root(String),
    /// A field of the row that a sum looks at: `.amount`.
    Row(String),
    Field(Box<Expr>, String),
    /// The first is 0, the last -1.
    At(Box<Expr>, i64),
    Where(Box<Expr>, Vec<Filter>),
    Minus(Box<Expr>),
    Joined(Box<Expr>, char, Box<Expr>),
    Function(String, Vec<Expr>),
}

/// A condition on the rows of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub field: String,
    /// `=`, `!=`, `<`, `>`, `^` (begins with) or `~` (contains).
    pub sign: String,
    pub value: Expr,
}

/// Something that must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    pub left: Expr,
    /// A comparison, `has`, `lacks`; `is` and `no` have nothing on their right.
    pub sign: String,
    pub right: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Word(String),
    Sign(&'static str),
}

/// Longer ones before those that they begin with.
const SIGNS: [&str; 19] = [
    "==", "!=", "<=", ">=", "<", ">", "~", "^", "=", "[", "]", "(", ")", ",", ".", "+", "-", "*",
    "/",
];

/// Reads what must hold.
pub fn check(text: &str) -> Check {
    let mut parser = Parser { tokens: tokens(text), at: 0, text };
    let is_absent = parser.word("no");
    let left = parser.sum();
    let signs = ["==", "!=", "<=", ">=", "<", ">", "~"];
    let found = signs.into_iter().find(|sign| parser.sign(sign));
    let found = found.or_else(|| ["has", "lacks"].into_iter().find(|word| parser.word(word)));
    let right = found.map(|_| parser.sum());
    parser.end();
    let sign = found.unwrap_or(if is_absent { "no" } else { "is" });
    Check { left, sign: sign.to_owned(), right }
}

/// Reads a figure.
pub fn formula(text: &str) -> Expr {
    let mut parser = Parser { tokens: tokens(text), at: 0, text };
    let found = parser.sum();
    parser.end();
    found
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (token, length) = token(rest).unwrap_or_else(|| panic!("{rest:?} is none in {text}"));
        found.push(token);
        rest = rest[length..].trim_start();
    }
    found
}

fn token(rest: &str) -> Option<(Token, usize)> {
    let first = rest.chars().next()?;
    if first == '\'' {
        let length = rest[1..].find('\'')?;
        return Some((Token::Text(rest[1..=length].to_owned()), length + 2));
    }
    let run = |fits: fn(char) -> bool| rest.find(|c: char| !fits(c)).unwrap_or(rest.len());
    if first.is_ascii_digit() {
        let length = run(|c| c.is_ascii_digit() || c == '.');
        return Some((Token::Number(rest[..length].parse().ok()?), length));
    }
    if first.is_ascii_alphabetic() || first == '$' {
        let length = run(|c| c.is_ascii_alphanumeric() || c == '$');
        return Some((Token::Word(rest[..length].to_owned()), length));
    }
    let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
    Some((Token::Sign(sign), sign.len()))
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    text: &'a str,
}

impl Parser<'_> {
    fn take(&mut self) -> Token {
        let found = self.tokens.get(self.at).cloned();
        self.at += 1;
        found.unwrap_or_else(|| panic!("{} ends too early", self.text))
    }

    fn end(&self) {
        assert!(self.at == self.tokens.len(), "{:?} in {}", self.tokens.get(self.at), self.text);
    }

    fn sign(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.tokens.get(self.at), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(is_it);
        is_it
    }

    fn word(&mut self, word: &str) -> bool {
        let is_it = matches!(self.tokens.get(self.at), Some(Token::Word(found)) if found == word);
        self.at += usize::from(is_it);
        is_it
    }

    fn need(&mut self, sign: &str) {
        assert!(self.sign(sign), "{sign} is missing in {}", self.text);
    }

    fn name(&mut self) -> String {
        match self.take() {
            Token::Word(name) => name,
            other => panic!("{other:?} is no name in {}", self.text),
        }
    }

    fn sum(&mut self) -> Expr {
        let mut left = self.product();
        loop {
            let Some(sign) = ["+", "-"].into_iter().find(|sign| self.sign(sign)) else {
                return left;
            };
            left = joined(left, sign, self.product());
        }
    }

    fn product(&mut self) -> Expr {
        let mut left = self.factor();
        loop {
            let Some(sign) = ["*", "/"].into_iter().find(|sign| self.sign(sign)) else {
                return left;
            };
            left = joined(left, sign, self.factor());
        }
    }

    fn factor(&mut self) -> Expr {
        if self.sign("-") {
            return Expr::Minus(Box::new(self.factor()));
        }
        if self.sign("(") {
            let inner = self.sum();
            self.need(")");
            return inner;
        }
        if self.sign(".") {
            let field = self.name();
            return self.path(Expr::Row(field));
        }
        match self.take() {
            Token::Number(number) => Expr::Number(number),
            Token::Text(text) => Expr::Text(text),
            Token::Word(name) if self.sign("(") => {
                let arguments = self.arguments();
                self.path(Expr::Function(name, arguments))
            }
            Token::Word(name) => self.path(Expr::Root(name)),
            Token::Sign(sign) => panic!("{sign} in {}", self.text),
        }
    }

    fn arguments(&mut self) -> Vec<Expr> {
        let mut all = vec![self.sum()];
        while self.sign(",") {
            all.push(self.sum());
        }
        self.need(")");
        all
    }

    fn path(&mut self, mut found: Expr) -> Expr {
        loop {
            if self.sign(".") {
                found = Expr::Field(Box::new(found), self.name());
            } else if self.sign("[") {
                found = self.inside(Box::new(found));
                self.need("]");
            } else {
                return found;
            }
        }
    }

    /// What stands between brackets: a place, or conditions.
    fn inside(&mut self, of: Box<Expr>) -> Expr {
        let is_last = self.sign("-");
        if let Some(Token::Number(place)) = self.tokens.get(self.at).cloned() {
            self.at += 1;
            let place = place as i64;
            return Expr::At(of, if is_last { -place } else { place });
        }
        let mut filters = vec![self.filter()];
        while self.sign(",") {
            filters.push(self.filter());
        }
        Expr::Where(of, filters)
    }

    fn filter(&mut self) -> Filter {
        let field = self.name();
        let found = ["!=", "=", "<", ">", "^", "~"].into_iter().find(|sign| self.sign(sign));
        let sign = found.unwrap_or_else(|| panic!("no condition on {field} in {}", self.text));
        Filter { field, sign: sign.to_owned(), value: self.wanted() }
    }

    /// A word that stands alone is a text here.
    fn wanted(&mut self) -> Expr {
        let ends = matches!(self.tokens.get(self.at + 1), Some(Token::Sign("]" | ",")));
        match self.tokens.get(self.at).cloned() {
            Some(Token::Word(word)) if ends => {
                self.at += 1;
                Expr::Text(word)
            }
            _ => self.sum(),
        }
    }
}

fn joined(left: Expr, sign: &str, right: Expr) -> Expr {
    let sign = sign.chars().next().unwrap_or_default();
    Expr::Joined(Box::new(left), sign, Box::new(right))
}
