//! Lua 5.1 as expressions, and which values flow into which variables.
//!
//! Of statements nothing is kept but what they do with expressions: into which variable one goes ([`Source`]), or how else
//! it is used ([`Use`]). The order of statements, and whether they run at all, makes no difference to the analysis.

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
    /// Operands, compared or computed with.
    Operation(Vec<ExprId>),
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
    Length(ExprId),
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
    /// It is a statement, a condition.
    Looked(ExprId),
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
const DEPTH_MAX: usize = 220;

/// Reads a script, or nothing if it is none.
pub(super) fn parse(source: &[u8]) -> Option<Chunk> {
    let mut parser =
        Parser { tokens: tokens(source)?, at: 0, chunk: Chunk::default(), scopes: vec![HashMap::new()], depth: 0 };
    parser.block()?;
    (parser.peek() == &Token::End).then_some(parser.chunk)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    chunk: Chunk,
    scopes: Vec<HashMap<String, SymbolId>>,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at]
    }

    fn next(&mut self) -> Token {
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

    fn mark(&mut self, mark: &'static str) -> bool {
        self.accept(&Token::Mark(mark))
    }

    fn keyword(&mut self, keyword: &'static str) -> bool {
        self.accept(&Token::Keyword(keyword))
    }

    fn name(&mut self) -> Option<String> {
        if let Token::Name(name) = self.next() { Some(name) } else { None }
    }

    fn add(&mut self, expr: Expr) -> ExprId {
        self.chunk.exprs.push(expr);
        self.chunk.exprs.len() - 1
    }

    fn declare(&mut self, name: String) -> SymbolId {
        self.chunk.sources.push(Vec::new());
        let symbol = self.chunk.sources.len() - 1;
        self.scopes.last_mut()?.insert(name, symbol);
        symbol
    }
}
