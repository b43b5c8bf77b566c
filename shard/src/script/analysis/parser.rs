//! Lua 5.1 as expressions, and which values flow into which variables.
//!
//! Of statements nothing is kept but what they do with expressions: into which variable one goes ([`Source`]), or where else
//! ([`Use`]). A value that is only looked at, by a condition or an operator, goes nowhere. The order of statements, and whether they run at all, makes no difference to the analysis.

use std::collections::HashMap;

use super::lexer::{Token, tokens};

pub(super) type ExprId = usize;
pub(super) type SymbolId = usize;
pub(super) type FunctionId = usize;

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    /// Nil, truths, `...`, and whatever is computed.
    Other,
    /// What is computed, compared, or counted.
    Operation,
    /// One of two.
    Either(ExprId, ExprId),
    Text(Vec<u8>),
    Number(String),
    Local(SymbolId),
    Global(String),
    Index(ExprId, ExprId),
    Call(ExprId, Vec<ExprId>),
    Method(ExprId, Vec<ExprId>),
    Function(FunctionId),
    Table(Vec<(Option<ExprId>, ExprId)>),
    /// `...`, and more than one value.
    Varargs,
}

/// Where a variable's value comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Expr(ExprId),
    /// The second variable of a loop over what this expression, a call, goes through.
    Element(ExprId),
    Unknown,
}

/// What becomes of an expression that is not part of another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    /// It goes where it is not followed.
    Escapes(ExprId),
    /// It goes into a variable.
    Into(ExprId, SymbolId),
    /// A field of it is set.
    Changed(ExprId),
    /// A loop goes through what it returns.
    Looped(ExprId),
    /// A global variable is set.
    Global,
}

/// A script as the analysis sees it.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) exprs: Vec<Expr>,
    /// Of each local variable.
    pub(super) sources: Vec<Vec<Source>>,
    /// The parameters of each function.
    pub(super) functions: Vec<Vec<SymbolId>>,
    pub(super) uses: Vec<Use>,
}

/// Deeper nesting is not followed: Lua itself admits 200 levels.
pub(super) const DEPTH_MAX: usize = 220;

/// Reads a script, or nothing if it is none.
pub(super) fn parse(source: &[u8]) -> Option<Chunk> {
    let mut parser =
        Parser { tokens: tokens(source)?, at: 0, chunk: Chunk::default(), scopes: vec![HashMap::new()], depth: 0 };
    parser.block()?;
    (parser.peek() == &Token::End).then_some(parser.chunk)
}

pub(super) struct Parser {
    pub(super) tokens: Vec<Token>,
    pub(super) at: usize,
    pub(super) chunk: Chunk,
    pub(super) scopes: Vec<HashMap<String, SymbolId>>,
    pub(super) depth: usize,
}

impl Parser {
    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.at]
    }

    pub(super) fn next(&mut self) -> Token {
        let token = self.tokens[self.at].clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn accept(&mut self, token: &Token) -> bool {
        let is_it = self.peek() == token;
        if is_it {
            self.next();
        }
        is_it
    }

    pub(super) fn mark(&mut self, mark: &'static str) -> bool {
        self.accept(&Token::Mark(mark))
    }

    pub(super) fn keyword(&mut self, keyword: &'static str) -> bool {
        self.accept(&Token::Keyword(keyword))
    }

    pub(super) fn name(&mut self) -> Option<String> {
        if let Token::Name(name) = self.next() { Some(name) } else { None }
    }

    pub(super) fn add(&mut self, expr: Expr) -> ExprId {
        self.chunk.exprs.push(expr);
        self.chunk.exprs.len() - 1
    }

    pub(super) fn declare(&mut self, name: String) -> SymbolId {
        self.chunk.sources.push(Vec::new());
        let symbol = self.chunk.sources.len() - 1;
        self.scopes.last_mut().expect("there is always a scope").insert(name, symbol);
        symbol
    }
}

/// Statements.
impl Parser {
    /// Statements up to what ends a block.
    fn block(&mut self) -> Option<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        self.scopes.push(HashMap::new());
        while !matches!(self.peek(), Token::End | Token::Keyword("end" | "else" | "elseif" | "until")) {
            self.statement()?;
            self.mark(";");
        }
        self.scopes.pop();
        self.depth -= 1;
        Some(())
    }

    pub(super) fn closed_block(&mut self) -> Option<()> {
        self.block()?;
        self.keyword("end").then_some(())
    }

    fn used(&mut self, how: Use) {
        self.chunk.uses.push(how);
    }

    fn condition(&mut self) -> Option<()> {
        self.expr()?;
        Some(())
    }

    fn statement(&mut self) -> Option<()> {
        let Token::Keyword(keyword) = self.peek() else { return self.call_or_assignment() };
        let keyword = *keyword;
        self.next();
        match keyword {
            "do" => self.closed_block(),
            "while" => {
                self.condition()?;
                self.keyword("do").then_some(())?;
                self.closed_block()
            }
            "repeat" => self.repeat(),
            "if" => {
                self.condition()?;
                self.keyword("then").then_some(())?;
                self.block()?;
                while self.keyword("elseif") {
                    self.condition()?;
                    self.keyword("then").then_some(())?;
                    self.block()?;
                }
                if self.keyword("else") {
                    self.block()?;
                }
                self.keyword("end").then_some(())
            }
            "for" => self.for_loop(),
            "function" => self.named_function(),
            "local" if self.keyword("function") => {
                let name = self.name()?;
                let symbol = self.declare(name);
                let function = self.function_body(false)?;
                self.flow(function, symbol);
                Some(())
            }
            "local" => self.local(),
            "return" => self.returned(),
            "break" => Some(()),
            _ => None,
        }
    }

    /// The condition of a `repeat` sees what its block declares.
    fn repeat(&mut self) -> Option<()> {
        self.scopes.push(HashMap::new());
        while !matches!(self.peek(), Token::End | Token::Keyword("end" | "else" | "elseif" | "until")) {
            self.statement()?;
            self.mark(";");
        }
        self.keyword("until").then_some(())?;
        self.condition()?;
        self.scopes.pop();
        Some(())
    }

    fn flow(&mut self, expr: ExprId, symbol: SymbolId) {
        self.chunk.sources[symbol].push(Source::Expr(expr));
        self.used(Use::Into(expr, symbol));
    }

    /// Values of a list of expressions go into variables: those for which there is no expression of their own get what the
    /// last one, a call perhaps, returns besides.
    fn flow_all(&mut self, exprs: &[ExprId], symbols: &[SymbolId]) {
        let has_more = exprs
            .last()
            .is_some_and(|last| matches!(self.chunk.exprs[*last], Expr::Call(..) | Expr::Method(..) | Expr::Varargs));
        for (index, &expr) in exprs.iter().enumerate() {
            if let Some(&symbol) = symbols.get(index) {
                self.flow(expr, symbol);
            }
        }
        if has_more {
            for &symbol in symbols.iter().skip(exprs.len()) {
                self.chunk.sources[symbol].push(Source::Unknown);
            }
        }
    }

    fn for_loop(&mut self) -> Option<()> {
        let mut names = vec![self.name()?];
        if self.mark("=") {
            for place in 0..3 {
                self.expr()?;
                if place < 2 && !self.mark(",") {
                    (place == 1).then_some(())?;
                    break;
                }
            }
            self.scopes.push(HashMap::new());
            let symbol = self.declare(names.remove(0));
            self.chunk.sources[symbol].push(Source::Unknown);
        } else {
            while self.mark(",") {
                names.push(self.name()?);
            }
            self.keyword("in").then_some(())?;
            let exprs = self.exprs()?;
            self.scopes.push(HashMap::new());
            for (place, name) in names.into_iter().enumerate() {
                let symbol = self.declare(name);
                let source = if place == 1 && exprs.len() == 1 { Source::Element(exprs[0]) } else { Source::Unknown };
                self.chunk.sources[symbol].push(source);
            }
            if let [only] = exprs[..] {
                self.used(Use::Looped(only));
            } else {
                for expr in &exprs {
                    self.used(Use::Escapes(*expr));
                }
            }
        }
        self.keyword("do").then_some(())?;
        self.closed_block()?;
        self.scopes.pop();
        Some(())
    }

    /// `function a.b:c() ... end` sets a global, or a field.
    fn named_function(&mut self) -> Option<()> {
        let first = self.name()?;
        let mut target = self.variable(first);
        let mut is_method = false;
        let mut is_field = false;
        while !is_method && matches!(self.peek(), Token::Mark("." | ":")) {
            is_method = self.next() == Token::Mark(":");
            self.name()?;
            if is_field {
                let field = self.add(Expr::Other);
                target = self.add(Expr::Index(target, field));
            }
            is_field = true;
        }
        let function = self.function_body(is_method)?;
        if is_field {
            self.used(Use::Changed(target));
            self.used(Use::Escapes(function));
        } else if let Expr::Local(symbol) = self.chunk.exprs[target] {
            self.flow(function, symbol);
        } else {
            self.used(Use::Global);
            self.used(Use::Escapes(function));
        }
        Some(())
    }

    fn local(&mut self) -> Option<()> {
        let mut names = vec![self.name()?];
        while self.mark(",") {
            names.push(self.name()?);
        }
        // The new names are not seen in the expressions.
        let exprs = if self.mark("=") { self.exprs()? } else { Vec::new() };
        let symbols: Vec<SymbolId> = names.into_iter().map(|name| self.declare(name)).collect();
        self.flow_all(&exprs, &symbols);
        Some(())
    }

    fn returned(&mut self) -> Option<()> {
        if !matches!(self.peek(), Token::End | Token::Mark(";") | Token::Keyword("end" | "else" | "elseif" | "until")) {
            for expr in self.exprs()? {
                self.used(Use::Escapes(expr));
            }
        }
        Some(())
    }

    fn call_or_assignment(&mut self) -> Option<()> {
        let first = self.suffixed()?;
        if matches!(self.chunk.exprs[first], Expr::Call(..) | Expr::Method(..))
            && !matches!(self.peek(), Token::Mark("=" | ","))
        {
            return Some(());
        }
        let mut targets = vec![first];
        while self.mark(",") {
            targets.push(self.suffixed()?);
        }
        self.mark("=").then_some(())?;
        let exprs = self.exprs()?;
        let mut rest = exprs.as_slice();
        for &target in &targets {
            let value = rest.first().copied();
            rest = rest.get(1..).unwrap_or_default();
            match self.chunk.exprs[target].clone() {
                Expr::Local(symbol) => match value {
                    Some(value) => self.flow(value, symbol),
                    None => self.chunk.sources[symbol].push(Source::Unknown),
                },
                Expr::Index(base, key) => {
                    self.used(Use::Changed(base));
                    self.used(Use::Escapes(key));
                    if let Some(value) = value {
                        self.used(Use::Escapes(value));
                    }
                }
                _ => {
                    self.used(Use::Global);
                    if let Some(value) = value {
                        self.used(Use::Escapes(value));
                    }
                }
            }
        }
        Some(())
    }
}
