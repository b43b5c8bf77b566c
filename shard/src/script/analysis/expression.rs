//! Lua 5.1's expressions, for the parser.

use std::collections::HashMap;

use super::lexer::Token;
use super::parser::{DEPTH_MAX, Expr, ExprId, Parser};

/// Expressions.
impl Parser {
    pub(super) fn exprs(&mut self) -> Option<Vec<ExprId>> {
        let mut exprs = vec![self.expr()?];
        while self.mark(",") {
            exprs.push(self.expr()?);
        }
        Some(exprs)
    }

    pub(super) fn expr(&mut self) -> Option<ExprId> {
        self.binary(0)
    }

    /// Operators that bind tighter than `limit`.
    fn binary(&mut self, limit: u8) -> Option<ExprId> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let mut left = self.unary()?;
        loop {
            let (left_power, right_power, is_choice) = match self.peek() {
                Token::Keyword("or") => (1, 1, true),
                Token::Keyword("and") => (2, 2, true),
                Token::Mark("<" | ">" | "<=" | ">=" | "~=" | "==") => (3, 3, false),
                Token::Mark("..") => (5, 4, false),
                Token::Mark("+" | "-") => (6, 6, false),
                Token::Mark("*" | "/" | "%") => (7, 7, false),
                Token::Mark("^") => (10, 9, false),
                _ => break,
            };
            if left_power <= limit {
                break;
            }
            self.next();
            let right = self.binary(right_power)?;
            left = self.add(if is_choice { Expr::Either(left, right) } else { Expr::Operation });
        }
        self.depth -= 1;
        Some(left)
    }

    fn unary(&mut self) -> Option<ExprId> {
        const UNARY_POWER: u8 = 8;
        match self.peek() {
            Token::Keyword("not") | Token::Mark("-" | "#") => {
                self.next();
                self.binary(UNARY_POWER)?;
                Some(self.add(Expr::Operation))
            }
            _ => self.simple(),
        }
    }

    fn simple(&mut self) -> Option<ExprId> {
        let expr = match self.peek().clone() {
            Token::Text(text) => Expr::Text(text),
            Token::Number(number) => Expr::Number(number),
            Token::Keyword("nil" | "true" | "false") => Expr::Other,
            Token::Mark("...") => Expr::Varargs,
            Token::Mark("{") => return self.table(),
            Token::Keyword("function") => {
                self.next();
                return self.function_body(false);
            }
            _ => return self.suffixed(),
        };
        self.next();
        Some(self.add(expr))
    }

    pub(super) fn variable(&mut self, name: String) -> ExprId {
        let found = self.scopes.iter().rev().find_map(|scope| scope.get(&name).copied());
        self.add(found.map_or(Expr::Global(name), Expr::Local))
    }

    /// A variable or an expression in parentheses, with fields and calls behind it.
    pub(super) fn suffixed(&mut self) -> Option<ExprId> {
        let mut expr = match self.next() {
            Token::Name(name) => self.variable(name),
            Token::Mark("(") => {
                let inner = self.expr()?;
                self.mark(")").then_some(())?;
                // Parentheses make one value of many.
                self.add(Expr::Either(inner, inner))
            }
            _ => return None,
        };
        loop {
            expr = match self.peek() {
                Token::Mark(".") => {
                    self.next();
                    let name = self.name()?;
                    let name = self.add(Expr::Text(name.into_bytes()));
                    self.add(Expr::Index(expr, name))
                }
                Token::Mark("[") => {
                    self.next();
                    let key = self.expr()?;
                    self.mark("]").then_some(())?;
                    self.add(Expr::Index(expr, key))
                }
                Token::Mark(":") => {
                    self.next();
                    self.name()?;
                    let args = self.args()?;
                    self.add(Expr::Method(expr, args))
                }
                Token::Mark("(" | "{") | Token::Text(_) => {
                    let args = self.args()?;
                    self.add(Expr::Call(expr, args))
                }
                _ => return Some(expr),
            };
        }
    }

    fn args(&mut self) -> Option<Vec<ExprId>> {
        if self.mark("(") {
            if self.mark(")") {
                return Some(Vec::new());
            }
            let args = self.exprs()?;
            return self.mark(")").then_some(args);
        }
        if self.peek() == &Token::Mark("{") {
            return Some(vec![self.table()?]);
        }
        let Token::Text(text) = self.next() else { return None };
        Some(vec![self.add(Expr::Text(text))])
    }

    fn table(&mut self) -> Option<ExprId> {
        self.mark("{").then_some(())?;
        let mut fields = Vec::new();
        while !self.mark("}") {
            let is_named =
                matches!(self.peek(), Token::Name(_)) && self.tokens.get(self.at + 1) == Some(&Token::Mark("="));
            let key = if is_named {
                let name = self.name()?;
                Some(self.add(Expr::Text(name.into_bytes())))
            } else if self.mark("[") {
                let key = self.expr()?;
                self.mark("]").then_some(())?;
                Some(key)
            } else {
                None
            };
            if key.is_some() {
                self.mark("=").then_some(())?;
            }
            let value = self.expr()?;
            fields.push((key, value));
            if !self.mark(",") && !self.mark(";") {
                self.mark("}").then_some(())?;
                break;
            }
        }
        Some(self.add(Expr::Table(fields)))
    }

    /// From the parameters to the end of a function.
    pub(super) fn function_body(&mut self, is_method: bool) -> Option<ExprId> {
        self.mark("(").then_some(())?;
        self.scopes.push(HashMap::new());
        let mut params = Vec::new();
        if is_method {
            params.push(self.declare("self".to_owned()));
        }
        while !self.mark(")") {
            if !self.mark("...") {
                let name = self.name()?;
                params.push(self.declare(name));
            }
            if !self.mark(",") {
                self.mark(")").then_some(())?;
                break;
            }
        }
        self.chunk.functions.push(params);
        let function = self.chunk.functions.len() - 1;
        self.closed_block()?;
        self.scopes.pop();
        Some(self.add(Expr::Function(function)))
    }
}
