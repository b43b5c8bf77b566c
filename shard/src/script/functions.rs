//! Libraries of functions, as all cores know them.
//!
//! A library is source text with a name; its functions are known from having run that text once. Every core makes
//! functions of its own of it when it first calls one, so the variables of a library are a core's own, too.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::analysis::Touches;
use super::flags::ScriptFlags;

/// What names of libraries and functions may be.
pub const BAD_NAME: &str =
    "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";

/// Whether this can name a library or a function.
pub fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// A function of a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionInfo {
    /// Its name.
    pub name: Vec<u8>,
    /// What it is for.
    pub description: Option<Vec<u8>>,
    /// Its flags.
    pub flags: ScriptFlags,
}

/// A library.
#[derive(Debug)]
pub struct Library {
    /// Its name.
    pub name: String,
    /// Its whole source.
    pub source: Vec<u8>,
    /// Where its code begins.
    pub code_at: usize,
    /// Its functions, in the order in which they were registered.
    pub functions: Vec<FunctionInfo>,
    /// What keys its functions touch.
    pub touches: Touches,
    /// No other library ever has this number.
    pub number: u64,
}

/// All libraries.
#[derive(Clone, Debug, Default)]
pub struct Libraries {
    libraries: BTreeMap<String, Arc<Library>>,
    /// By the name in small letters: as in Redis, functions are called in any case of letters, and libraries are not.
    functions: BTreeMap<Vec<u8>, Arc<Library>>,
}

impl Library {
    /// The place of the function that is called by `name`: the one of just this name, if there are several.
    pub fn place_of(&self, name: &[u8]) -> Option<usize> {
        let place = |fits: &dyn Fn(&[u8]) -> bool| self.functions.iter().position(|function| fits(&function.name));
        place(&|own| own == name).or_else(|| place(&|own| own.eq_ignore_ascii_case(name)))
    }
}

impl Libraries {
    /// The library that has this function.
    pub fn with_function(&self, name: &[u8]) -> Option<&Arc<Library>> {
        self.functions.get(&name.to_ascii_lowercase())
    }

    /// The library of this name.
    pub fn named(&self, name: &str) -> Option<&Arc<Library>> {
        self.libraries.get(name)
    }

    /// All of them, by name.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &Arc<Library>> {
        self.libraries.values()
    }

    /// Number of functions.
    pub fn functions(&self) -> usize {
        self.libraries.values().map(|library| library.functions.len()).sum()
    }

    /// Adds a library, in place of the one of its name if `replace`; or says why not, with nothing changed.
    pub fn add(&mut self, library: Arc<Library>, replace: bool) -> Result<(), String> {
        if !replace && self.libraries.contains_key(&library.name) {
            return Err(format!("ERR Library {} already exists", library.name));
        }
        for function in &library.functions {
            if self.with_function(&function.name).is_some_and(|owner| owner.name != library.name) {
                return Err(format!("ERR Function {} already exists", String::from_utf8_lossy(&function.name)));
            }
        }
        self.remove(&library.name);
        for function in &library.functions {
            self.functions.insert(function.name.to_ascii_lowercase(), Arc::clone(&library));
        }
        self.libraries.insert(library.name.clone(), library);
        Ok(())
    }

    /// Removes a library; whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let Some(library) = self.libraries.remove(name) else { return false };
        for function in &library.functions {
            self.functions.remove(&function.name.to_ascii_lowercase());
        }
        true
    }

    /// Bytes that their sources take.
    pub fn source_bytes(&self) -> usize {
        self.libraries.values().map(|library| library.source.len()).sum()
    }
}
