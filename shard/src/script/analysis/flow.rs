//! What the expressions of a script stand for.
//!
//! The order of statements counts for nothing: a variable stands for something if all that ever goes into it does. What
//! must not be lost from sight ([`Kind::matters`]) may only go where it is followed.

use std::cell::RefCell;
use std::collections::HashSet;

use super::command::{Argument, touches_declared};
use super::parser::{Chunk, Expr, ExprId, FunctionId, Source, SymbolId, Use};

/// What an expression stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The table of the declared keys.
    Keys,
    /// One of them, or nil.
    Key,
    /// `redis`.
    Redis,
    /// `redis.call` or `redis.pcall`.
    Command,
    /// `redis.register_function`.
    Register,
    /// `pcall`.
    Pcall,
    /// `ipairs` or `pairs`.
    Iterator,
    /// `unpack`.
    Unpack,
    /// A function that hands out nothing of the table it gets.
    Harmless,
    /// A function of the script.
    Function(FunctionId),
    Text(Vec<u8>),
    Other,
}

impl Kind {
    /// Whether something could be done with it that is not seen, if it were lost from sight.
    fn matters(&self) -> bool {
        matches!(self, Kind::Keys | Kind::Redis | Kind::Command | Kind::Register)
    }
}

/// With these a script reaches what its text does not show.
const DANGEROUS: [&str; 9] =
    ["_G", "load", "loadstring", "getfenv", "setfenv", "dofile", "loadfile", "require", "module"];

/// Functions of libraries that hand out nothing of a table but text.
const HARMLESS: [(&str, &str); 5] =
    [("table", "concat"), ("table", "getn"), ("table", "maxn"), ("cjson", "encode"), ("cmsgpack", "pack")];

/// A script, and what is known of it.
pub(super) struct Flow {
    chunk: Chunk,
    /// `KEYS` are the declared keys.
    has_keys: bool,
    /// Parameters that are the table of the declared keys.
    keys_params: HashSet<SymbolId>,
    /// Variables whose kind is being found out.
    under_way: RefCell<HashSet<SymbolId>>,
}

impl Flow {
    pub(super) fn new(chunk: Chunk, has_keys: bool) -> Flow {
        let mut flow = Flow { chunk, has_keys, keys_params: HashSet::new(), under_way: RefCell::default() };
        flow.bind_parameters();
        flow
    }

    /// Whether every key that the script touches is a declared one.
    pub(super) fn is_declared(&self) -> bool {
        self.chunk.exprs.iter().enumerate().all(|(id, expr)| self.is_expr_clean(id, expr))
            && self.chunk.uses.iter().all(|how| self.is_use_clean(*how))
    }

    fn expr(&self, id: ExprId) -> &Expr {
        &self.chunk.exprs[id]
    }

    /// The function that a local variable always is, or that stands there.
    fn function_at(&self, id: ExprId) -> Option<FunctionId> {
        match self.expr(id) {
            Expr::Function(function) => Some(*function),
            Expr::Local(symbol) => match self.chunk.sources[*symbol][..] {
                [Source::Expr(source)] => match self.expr(source) {
                    Expr::Function(function) => Some(*function),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// Lets arguments flow into the parameters of the functions they are passed to; those of a function that is called from
    /// elsewhere, too, may be anything.
    fn bind_parameters(&mut self) {
        let mut called = HashSet::new();
        let mut registered = HashSet::new();
        let mut flows: Vec<(SymbolId, Source)> = Vec::new();
        for expr in &self.chunk.exprs {
            let Expr::Call(callee, args) = expr else { continue };
            if self.kind(*callee) == Kind::Register {
                registered.extend(self.callbacks(args));
            }
            let Some(function) = self.function_at(*callee) else { continue };
            called.insert(*callee);
            flows.extend(self.flows_of_call(function, args));
        }
        for (id, _) in self.chunk.exprs.iter().enumerate() {
            let Some(function) = self.function_at(id) else { continue };
            let params = &self.chunk.functions[function];
            if registered.contains(&id) {
                self.keys_params.extend(params.first());
                flows.extend(params.iter().skip(1).map(|param| (*param, Source::Unknown)));
            } else if !called.contains(&id) && !self.is_sole_source(id) {
                flows.extend(params.iter().map(|param| (*param, Source::Unknown)));
            }
        }
        for (symbol, source) in flows {
            self.chunk.sources[symbol].push(source);
        }
    }

    fn flows_of_call(&self, function: FunctionId, args: &[ExprId]) -> Vec<(SymbolId, Source)> {
        let params = &self.chunk.functions[function];
        let mut flows: Vec<_> = params.iter().zip(args).map(|(param, arg)| (*param, Source::Expr(*arg))).collect();
        if args.last().is_some_and(|last| self.is_many(*last)) {
            // The last argument stands for the parameters from its place on.
            flows.extend(params.iter().skip(args.len() - 1).map(|param| (*param, Source::Unknown)));
        }
        flows
    }

    /// Whether an expression may be more than one value where it stands last.
    fn is_many(&self, id: ExprId) -> bool {
        matches!(self.expr(id), Expr::Call(..) | Expr::Method(..) | Expr::Varargs)
    }

    /// Whether a function's text stands where its variable gets it.
    fn is_sole_source(&self, id: ExprId) -> bool {
        matches!(self.expr(id), Expr::Function(_))
            && self.chunk.uses.iter().any(|how| match how {
                Use::Into(expr, symbol) => *expr == id && self.chunk.sources[*symbol].len() == 1,
                _ => false,
            })
    }

    /// The expressions that are what `register_function` is to call.
    fn callbacks(&self, args: &[ExprId]) -> Vec<ExprId> {
        match (args, args.first().map(|first| self.expr(*first))) {
            ([_, callback], _) => vec![*callback],
            ([_], Some(Expr::Table(fields))) => {
                let is_callback = |key: &Option<ExprId>| {
                    key.is_some_and(|key| matches!(self.expr(key), Expr::Text(text) if text == b"callback"))
                };
                fields.iter().filter(|(key, _)| is_callback(key)).map(|(_, value)| *value).collect()
            }
            _ => Vec::new(),
        }
    }

    fn kind(&self, id: ExprId) -> Kind {
        match self.expr(id) {
            Expr::Text(text) => Kind::Text(text.clone()),
            Expr::Number(number) => Kind::Text(number.clone().into_bytes()),
            Expr::Function(function) => Kind::Function(*function),
            Expr::Local(symbol) => self.kind_of_symbol(*symbol),
            Expr::Global(name) => self.kind_of_global(name),
            Expr::Index(base, key) => self.kind_of_field(*base, *key),
            Expr::Either(left, right) => {
                let kind = self.kind(*left);
                if self.kind(*right) == kind { kind } else { Kind::Other }
            }
            Expr::Call(callee, args) => match (self.kind(*callee), args.first()) {
                (Kind::Unpack, Some(first)) if self.kind(*first) == Kind::Keys => Kind::Key,
                _ => Kind::Other,
            },
            Expr::Other | Expr::Operation | Expr::Method(..) | Expr::Table(_) | Expr::Varargs => Kind::Other,
        }
    }

    fn kind_of_global(&self, name: &str) -> Kind {
        match name {
            "KEYS" if self.has_keys => Kind::Keys,
            "redis" => Kind::Redis,
            "pcall" => Kind::Pcall,
            "ipairs" | "pairs" => Kind::Iterator,
            "unpack" => Kind::Unpack,
            "type" | "tostring" | "next" | "rawequal" => Kind::Harmless,
            _ => Kind::Other,
        }
    }

    fn kind_of_field(&self, base: ExprId, key: ExprId) -> Kind {
        match self.kind(base) {
            Kind::Keys => return Kind::Key,
            Kind::Redis => {}
            _ => {
                let (Expr::Global(library), Expr::Text(name)) = (self.expr(base), self.expr(key)) else {
                    return Kind::Other;
                };
                let is_it = |(of, field): &(&str, &str)| of == library && field.as_bytes() == name.as_slice();
                return if HARMLESS.iter().any(is_it) { Kind::Harmless } else { Kind::Other };
            }
        }
        match self.expr(key) {
            Expr::Text(name) if name == b"call" || name == b"pcall" => Kind::Command,
            Expr::Text(name) if name == b"register_function" => Kind::Register,
            _ => Kind::Other,
        }
    }

    /// What all that goes into a variable stands for.
    fn kind_of_symbol(&self, symbol: SymbolId) -> Kind {
        if !self.under_way.borrow_mut().insert(symbol) {
            // Seen from within itself: it adds nothing to what else goes into it.
            return Kind::Other;
        }
        let mut kinds: Vec<Kind> = Vec::new();
        if self.keys_params.contains(&symbol) {
            kinds.push(Kind::Keys);
        }
        for source in &self.chunk.sources[symbol] {
            kinds.push(match source {
                Source::Expr(expr) => self.kind(*expr),
                Source::Element(call) => self.kind_of_element(*call),
                Source::Unknown => Kind::Other,
            });
        }
        self.under_way.borrow_mut().remove(&symbol);
        match kinds.split_first() {
            Some((first, rest)) if rest.iter().all(|kind| kind == first) => first.clone(),
            _ => Kind::Other,
        }
    }

    fn kind_of_element(&self, call: ExprId) -> Kind {
        match self.expr(call) {
            Expr::Call(callee, args) if args.len() == 1 && self.kind(*callee) == Kind::Iterator => {
                if self.kind(args[0]) == Kind::Keys { Kind::Key } else { Kind::Other }
            }
            _ => Kind::Other,
        }
    }

    /// Whether nothing that matters is lost by this expression, and its commands touch declared keys only.
    fn is_expr_clean(&self, id: ExprId, expr: &Expr) -> bool {
        let is_plain = |id: &ExprId| !self.kind(*id).matters();
        match expr {
            Expr::Global(name) => !DANGEROUS.contains(&name.as_str()),
            Expr::Either(left, right) => {
                let kind = self.kind(id);
                [left, right].into_iter().all(|side| is_plain(side) || self.kind(*side) == kind)
            }
            Expr::Index(base, key) => {
                is_plain(key) && (self.kind(*base) != Kind::Redis || matches!(self.expr(*key), Expr::Text(_)))
            }
            Expr::Method(base, args) => is_plain(base) && args.iter().all(is_plain),
            Expr::Table(fields) => {
                fields.iter().all(|(key, value)| key.as_ref().is_none_or(is_plain) && is_plain(value))
            }
            Expr::Call(callee, args) => self.is_call_clean(*callee, args),
            Expr::Other
            | Expr::Operation
            | Expr::Text(_)
            | Expr::Number(_)
            | Expr::Local(_)
            | Expr::Function(_)
            | Expr::Varargs => true,
        }
    }

    fn is_call_clean(&self, callee: ExprId, args: &[ExprId]) -> bool {
        let is_plain = |id: &ExprId| !self.kind(*id).matters();
        match self.kind(callee) {
            Kind::Command => touches_declared(&self.arguments(args)),
            Kind::Pcall => match args.split_first() {
                Some((first, rest)) if self.kind(*first) == Kind::Command => touches_declared(&self.arguments(rest)),
                _ => args.iter().all(is_plain),
            },
            Kind::Iterator | Kind::Unpack | Kind::Harmless => {
                args.iter().all(|arg| is_plain(arg) || self.kind(*arg) == Kind::Keys)
            }
            Kind::Function(function) if self.function_at(callee).is_some() => {
                let params = &self.chunk.functions[function];
                args.iter().enumerate().all(|(place, arg)| {
                    is_plain(arg)
                        || params.get(place).is_some_and(|param| self.kind_of_symbol(*param) == self.kind(*arg))
                })
            }
            _ => args.iter().all(is_plain),
        }
    }

    fn is_use_clean(&self, how: Use) -> bool {
        match how {
            Use::Global => true,
            Use::Escapes(expr) | Use::Changed(expr) => !self.kind(expr).matters(),
            Use::Looped(expr) => !self.kind(expr).matters(),
            Use::Into(expr, symbol) => {
                let kind = self.kind(expr);
                !kind.matters() || self.kind_of_symbol(symbol) == kind
            }
        }
    }

    /// What is known of a command's arguments.
    fn arguments(&self, args: &[ExprId]) -> Vec<Argument> {
        let argument = |(place, id): (usize, &ExprId)| {
            let is_many = place + 1 == args.len() && self.is_many(*id);
            match self.kind(*id) {
                Kind::Key if is_many => Argument::Keys,
                Kind::Key => Argument::Key,
                Kind::Text(text) => Argument::Text(text),
                _ if is_many => Argument::Anything,
                _ => Argument::Unknown,
            }
        };
        args.iter().enumerate().map(argument).collect()
    }
}
