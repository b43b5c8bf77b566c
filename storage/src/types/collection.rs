//! What all collection types have in common, for code that is the same for each.

use super::hash::{Hash, HashRef};
use super::list::{List, ListRef};
use super::set::{Set, SetRef};
use super::stream::Stream;
use super::zset::{ZSet, ZSetRef};
use super::{OwnedValue, Value};

/// A collection type. Its default is the empty collection.
pub trait Collection: Default + Sized {
    /// The view to read.
    type View<'a>;

    /// The view of a stored value, if it is of this type.
    fn view(value: Value<'_>) -> Option<Self::View<'_>>;

    /// The collection in a value that is to be changed, if it is of this type.
    fn of_mut(value: &mut OwnedValue) -> Option<&mut Self>;

    /// The collection as a value.
    fn into_value(self) -> OwnedValue;
}

impl Collection for List {
    type View<'a> = ListRef<'a>;

    fn view(value: Value<'_>) -> Option<Self::View<'_>> {
        if let Value::List(view) = value { Some(view) } else { None }
    }

    fn of_mut(value: &mut OwnedValue) -> Option<&mut Self> {
        if let OwnedValue::List(collection) = value { Some(collection) } else { None }
    }

    fn into_value(self) -> OwnedValue {
        OwnedValue::List(self)
    }
}

impl Collection for Hash {
    type View<'a> = HashRef<'a>;

    fn view(value: Value<'_>) -> Option<Self::View<'_>> {
        if let Value::Hash(view) = value { Some(view) } else { None }
    }

    fn of_mut(value: &mut OwnedValue) -> Option<&mut Self> {
        if let OwnedValue::Hash(collection) = value { Some(collection) } else { None }
    }

    fn into_value(self) -> OwnedValue {
        OwnedValue::Hash(self)
    }
}

impl Collection for Set {
    type View<'a> = SetRef<'a>;

    fn view(value: Value<'_>) -> Option<Self::View<'_>> {
        if let Value::Set(view) = value { Some(view) } else { None }
    }

    fn of_mut(value: &mut OwnedValue) -> Option<&mut Self> {
        if let OwnedValue::Set(collection) = value { Some(collection) } else { None }
    }

    fn into_value(self) -> OwnedValue {
        OwnedValue::Set(self)
    }
}

impl Collection for ZSet {
    type View<'a> = ZSetRef<'a>;

    fn view(value: Value<'_>) -> Option<Self::View<'_>> {
        if let Value::SortedSet(view) = value { Some(view) } else { None }
    }

    fn of_mut(value: &mut OwnedValue) -> Option<&mut Self> {
        if let OwnedValue::SortedSet(collection) = value { Some(collection) } else { None }
    }

    fn into_value(self) -> OwnedValue {
        OwnedValue::SortedSet(self)
    }
}

impl Collection for Stream {
    type View<'a> = &'a Stream;

    fn view(value: Value<'_>) -> Option<Self::View<'_>> {
        if let Value::Stream(view) = value { Some(view) } else { None }
    }

    fn of_mut(value: &mut OwnedValue) -> Option<&mut Self> {
        if let OwnedValue::Stream(stream) = value { Some(stream) } else { None }
    }

    fn into_value(self) -> OwnedValue {
        OwnedValue::Stream(Box::new(self))
    }
}
