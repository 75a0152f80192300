//! Values of calls: MessagePack in, MessagePack out, guided by the component's own types.
//!
//! No names travel, for both ends know the type; `src/branes/values` is the other end and has the table. What does not
//! fit is an error, never another value. A result is bounded as the owner bounds what it unpacks, so that a sound brane
//! sends nothing that its owner would have to take for hostile.

use std::fmt;
use std::io::{self, Write};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeTuple, Serializer};
use serde_bytes::ByteBuf;
use wasmtime::component::{Type, Val};

/// Deepest nesting of a value's type, as `brane-compile` has it.
const MAX_DEPTH: usize = 64;
/// Largest result in MessagePack, in bytes: `MAX_BYTES` of `src/branes/values/packed.py`.
const MAX_RESULT: usize = brane_wire::frame::MAX_PAYLOAD - 1024;
/// Most arrays, and items of arrays, of a result: `MAX_ITEMS` there.
const MAX_ITEMS: usize = 1 << 20;
/// Items for which room is made before they are there.
const ROOM: usize = 4096;

/// A value does not travel.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ValueError {
    /// The owner sent what is no value of the function's parameters.
    #[error("the arguments do not fit the function: {0}")]
    Arguments(#[from] rmp_serde::decode::Error),
    /// Bytes follow the arguments.
    #[error("bytes after the arguments")]
    Trailing,
    /// The result is no value of its own type, or of a type that has none.
    #[error("the result does not fit its type: {0}")]
    Result(#[from] rmp_serde::encode::Error),
    /// The result is larger than a message.
    #[error("it takes more than {MAX_RESULT} bytes")]
    Long,
    /// The result has more parts than an owner unpacks.
    #[error("it has too many parts, at most {MAX_ITEMS}")]
    Many,
}

/// Reads MessagePack out of a slice.
pub(crate) type Reader<'a> = rmp_serde::Deserializer<rmp_serde::decode::ReadRefReader<'a, [u8]>>;

/// The arguments of a call of a function with parameters of `types`.
pub(crate) fn arguments(types: Vec<Type>, bytes: &[u8]) -> Result<Vec<Val>, ValueError> {
    read(bytes, |reader| Parts { types, depth: 0 }.deserialize(reader))
}

/// What `reading` makes of `bytes`, all of them.
pub(crate) fn read<T>(
    bytes: &[u8],
    reading: impl FnOnce(&mut Reader<'_>) -> Result<T, rmp_serde::decode::Error>,
) -> Result<T, ValueError> {
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    reader.set_max_depth(2 * MAX_DEPTH);
    let value = reading(&mut reader)?;
    match IgnoredAny::deserialize(&mut reader) {
        // There is no byte left.
        Err(rmp_serde::decode::Error::InvalidMarkerRead(_)) => Ok(value),
        _ => Err(ValueError::Trailing),
    }
}

/// The result `value` of type `of`.
pub(crate) fn result(of: &Type, value: &Val) -> Result<ByteBuf, ValueError> {
    let mut left = MAX_ITEMS;
    if !count(value, &mut left) {
        return Err(ValueError::Many);
    }
    write(&Plain { of, value, depth: 0 })
}

/// `value` as a result.
pub(crate) fn write(value: &impl Serialize) -> Result<ByteBuf, ValueError> {
    let mut bounded = Bounded { bytes: Vec::new(), is_over: false };
    match value.serialize(&mut rmp_serde::Serializer::new(&mut bounded)) {
        Ok(()) => Ok(ByteBuf::from(bounded.bytes)),
        Err(_) if bounded.is_over => Err(ValueError::Long),
        Err(error) => Err(error.into()),
    }
}

/// Takes the arrays of `value`, and their items, from `left`; false once there are too many.
fn count(value: &Val, left: &mut usize) -> bool {
    let items = match value {
        // They travel as bytes.
        Val::List(items) if matches!(items.first(), Some(Val::U8(_))) => return true,
        Val::List(items) | Val::Tuple(items) | Val::FixedLengthList(items) => items.len(),
        Val::Record(fields) => fields.len(),
        Val::Flags(names) => names.len(),
        Val::Variant(..) | Val::Result(_) => 2,
        Val::Option(Some(_)) => 1,
        _ => return true,
    };
    let Some(rest) = left.checked_sub(items + 1) else { return false };
    *left = rest;
    match value {
        Val::List(items) | Val::Tuple(items) | Val::FixedLengthList(items) => {
            items.iter().all(|item| count(item, left))
        }
        Val::Record(fields) => fields.iter().all(|(_, field)| count(field, left)),
        Val::Variant(_, Some(inner))
        | Val::Option(Some(inner))
        | Val::Result(Ok(Some(inner)) | Err(Some(inner))) => count(inner, left),
        _ => true,
    }
}

/// Bytes, up to a number of them.
struct Bounded {
    bytes: Vec<u8>,
    is_over: bool,
}

impl Write for Bounded {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + more.len() > MAX_RESULT {
            self.is_over = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value of a type.
struct One<'t> {
    of: &'t Type,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = Val;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Val, D::Error> {
        if self.depth > MAX_DEPTH {
            return Err(D::Error::custom("types nest too deep"));
        }
        let depth = self.depth + 1;
        Ok(match self.of {
            Type::Bool => Val::Bool(bool::deserialize(from)?),
            Type::S8 => Val::S8(i8::deserialize(from)?),
            Type::U8 => Val::U8(u8::deserialize(from)?),
            Type::S16 => Val::S16(i16::deserialize(from)?),
            Type::U16 => Val::U16(u16::deserialize(from)?),
            Type::S32 => Val::S32(i32::deserialize(from)?),
            Type::U32 => Val::U32(u32::deserialize(from)?),
            Type::S64 => Val::S64(i64::deserialize(from)?),
            Type::U64 => Val::U64(u64::deserialize(from)?),
            Type::Float32 => Val::Float32(f32::deserialize(from)?),
            Type::Float64 => Val::Float64(f64::deserialize(from)?),
            Type::Char => Val::Char(char::deserialize(from)?),
            Type::String => Val::String(String::deserialize(from)?),
            Type::List(list) => match list.ty() {
                Type::U8 => Val::List(ByteBuf::deserialize(from)?.into_iter().map(Val::U8).collect()),
                of => Val::List(from.deserialize_seq(Items { of, depth })?),
            },
            Type::FixedLengthList(list) => {
                let items = from.deserialize_seq(Items { of: list.ty(), depth })?;
                if u32::try_from(items.len()) != Ok(list.len()) {
                    return Err(D::Error::invalid_length(items.len(), &"a list of fixed length"));
                }
                Val::FixedLengthList(items)
            }
            Type::Tuple(tuple) => {
                Val::Tuple(Parts { types: tuple.types().collect(), depth }.deserialize(from)?)
            }
            Type::Record(record) => {
                let types = record.fields().map(|field| field.ty).collect();
                let values = Parts { types, depth }.deserialize(from)?;
                Val::Record(record.fields().map(|field| field.name.to_owned()).zip(values).collect())
            }
            Type::Variant(variant) => {
                let cases = variant.cases().map(|case| case.ty).collect();
                let (index, payload) = from.deserialize_tuple(2, Case { cases, depth })?;
                Val::Variant(nth(variant.cases().map(|case| case.name), index)?, payload)
            }
            Type::Enum(names) => Val::Enum(nth(names.names(), usize::deserialize(from)?)?),
            Type::Option(option) => Val::Option(from.deserialize_any(Maybe { of: option.ty(), depth })?),
            Type::Result(result) => {
                let cases = vec![result.ok(), result.err()];
                let (index, payload) = from.deserialize_tuple(2, Case { cases, depth })?;
                Val::Result(if index == 0 { Ok(payload) } else { Err(payload) })
            }
            Type::Flags(flags) => {
                let set = Vec::<usize>::deserialize(from)?;
                let names = set.into_iter().map(|index| nth(flags.names(), index));
                Val::Flags(names.collect::<Result<_, D::Error>>()?)
            }
            _ => return Err(D::Error::custom("a value of this type cannot be passed")),
        })
    }
}

/// The name with that index.
fn nth<'n, E: serde::de::Error>(mut names: impl Iterator<Item = &'n str>, index: usize) -> Result<String, E> {
    names.nth(index).map(str::to_owned).ok_or_else(|| E::custom("no case of that number"))
}

/// Items of one type.
struct Items {
    of: Type,
    depth: usize,
}

impl<'de> Visitor<'de> for Items {
    type Value = Vec<Val>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Vec<Val>, A::Error> {
        let mut items = Vec::with_capacity(from.size_hint().unwrap_or(0).min(ROOM));
        while let Some(item) = from.next_element_seed(One { of: &self.of, depth: self.depth })? {
            items.push(item);
        }
        Ok(items)
    }
}

/// One value of each type.
struct Parts {
    types: Vec<Type>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Parts {
    type Value = Vec<Val>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Vec<Val>, D::Error> {
        from.deserialize_tuple(self.types.len(), self)
    }
}

impl<'de> Visitor<'de> for Parts {
    type Value = Vec<Val>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} values", self.types.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Vec<Val>, A::Error> {
        let mut values = Vec::with_capacity(self.types.len());
        for of in &self.types {
            match from.next_element_seed(One { of, depth: self.depth })? {
                Some(value) => values.push(value),
                None => return Err(A::Error::invalid_length(values.len(), &self)),
            }
        }
        match from.next_element::<IgnoredAny>()? {
            None => Ok(values),
            Some(_) => Err(A::Error::invalid_length(values.len() + 1, &self)),
        }
    }
}

/// The number of a case, and what that carries.
struct Case {
    cases: Vec<Option<Type>>,
    depth: usize,
}

impl<'de> Visitor<'de> for Case {
    type Value = (usize, Option<Box<Val>>);

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "one of {} cases and its value", self.cases.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let index: usize = from.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let of = self.cases.get(index).ok_or_else(|| A::Error::custom("no case of that number"))?;
        let payload = match of {
            Some(of) => {
                let seed = One { of, depth: self.depth };
                from.next_element_seed(seed)?.map(|value| Some(Box::new(value)))
            }
            None => from.next_element::<()>()?.map(|()| None),
        };
        Ok((index, payload.ok_or_else(|| A::Error::invalid_length(1, &self))?))
    }
}

/// Nothing, or an array of one value.
struct Maybe {
    of: Type,
    depth: usize,
}

impl<'de> Visitor<'de> for Maybe {
    type Value = Option<Box<Val>>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("nothing, or an array of one value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, from: A) -> Result<Self::Value, A::Error> {
        let values = Parts { types: vec![self.of], depth: self.depth }.visit_seq(from)?;
        Ok(values.into_iter().next().map(Box::new))
    }
}

/// A value beside its type.
struct Plain<'v> {
    of: &'v Type,
    value: &'v Val,
    depth: usize,
}

impl Plain<'_> {
    fn inner<'v>(&self, of: &'v Type, value: &'v Val) -> Plain<'v> {
        Plain { of, value, depth: self.depth + 1 }
    }

    /// An array of exactly these.
    fn array<'v, S: Serializer>(
        &self,
        to: S,
        types: impl ExactSizeIterator<Item = Type>,
        values: impl ExactSizeIterator<Item = &'v Val>,
    ) -> Result<S::Ok, S::Error> {
        if types.len() != values.len() {
            return Err(S::Error::custom("another number of parts"));
        }
        let mut array = to.serialize_tuple(values.len())?;
        for (of, value) in types.zip(values) {
            array.serialize_element(&self.inner(&of, value))?;
        }
        array.end()
    }

    fn case<S: Serializer>(
        &self,
        to: S,
        index: usize,
        of: Option<Type>,
        payload: Option<&Val>,
    ) -> Result<S::Ok, S::Error> {
        let mut pair = to.serialize_tuple(2)?;
        pair.serialize_element(&index)?;
        match (of, payload) {
            (Some(of), Some(value)) => pair.serialize_element(&self.inner(&of, value))?,
            (None, None) => pair.serialize_element(&())?,
            _ => return Err(S::Error::custom("a case with another value")),
        }
        pair.end()
    }

    fn list<S: Serializer>(&self, to: S, of: &Type, items: &[Val]) -> Result<S::Ok, S::Error> {
        let mut array = to.serialize_tuple(items.len())?;
        for value in items {
            array.serialize_element(&self.inner(of, value))?;
        }
        array.end()
    }
}

fn bytes<S: Serializer>(to: S, items: &[Val]) -> Result<S::Ok, S::Error> {
    let bytes = items.iter().map(|item| if let Val::U8(byte) = item { Some(*byte) } else { None });
    match bytes.collect::<Option<Vec<u8>>>() {
        Some(bytes) => to.serialize_bytes(&bytes),
        None => Err(S::Error::custom("a list of bytes with something else")),
    }
}

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.depth > MAX_DEPTH {
            return Err(S::Error::custom("types nest too deep"));
        }
        match (self.of, self.value) {
            (Type::Bool, Val::Bool(value)) => to.serialize_bool(*value),
            (Type::S8, Val::S8(value)) => to.serialize_i8(*value),
            (Type::U8, Val::U8(value)) => to.serialize_u8(*value),
            (Type::S16, Val::S16(value)) => to.serialize_i16(*value),
            (Type::U16, Val::U16(value)) => to.serialize_u16(*value),
            (Type::S32, Val::S32(value)) => to.serialize_i32(*value),
            (Type::U32, Val::U32(value)) => to.serialize_u32(*value),
            (Type::S64, Val::S64(value)) => to.serialize_i64(*value),
            (Type::U64, Val::U64(value)) => to.serialize_u64(*value),
            (Type::Float32, Val::Float32(value)) => to.serialize_f32(*value),
            (Type::Float64, Val::Float64(value)) => to.serialize_f64(*value),
            (Type::Char, Val::Char(value)) => to.serialize_char(*value),
            (Type::String, Val::String(value)) => to.serialize_str(value),
            (Type::List(list), Val::List(items)) => match list.ty() {
                Type::U8 => bytes(to, items),
                of => self.list(to, &of, items),
            },
            (Type::FixedLengthList(list), Val::FixedLengthList(items)) => self.list(to, &list.ty(), items),
            (Type::Tuple(tuple), Val::Tuple(items)) => self.array(to, tuple.types(), items.iter()),
            (Type::Record(record), Val::Record(fields)) => {
                let types = record.fields().map(|field| field.ty);
                self.array(to, types, fields.iter().map(|(_, value)| value))
            }
            (Type::Variant(variant), Val::Variant(name, payload)) => {
                let found = variant.cases().enumerate().find(|(_, case)| case.name == name);
                let (index, case) = found.ok_or_else(|| S::Error::custom("no such case"))?;
                self.case(to, index, case.ty, payload.as_deref())
            }
            (Type::Enum(names), Val::Enum(name)) => {
                let index = names.names().position(|known| known == name);
                index.ok_or_else(|| S::Error::custom("no such case"))?.serialize(to)
            }
            (Type::Option(_), Val::Option(None)) => to.serialize_unit(),
            (Type::Option(option), Val::Option(Some(value))) => {
                self.array(to, std::iter::once(option.ty()), std::iter::once(&**value))
            }
            (Type::Result(result), Val::Result(Ok(value))) => self.case(to, 0, result.ok(), value.as_deref()),
            (Type::Result(result), Val::Result(Err(value))) => {
                self.case(to, 1, result.err(), value.as_deref())
            }
            (Type::Flags(flags), Val::Flags(names)) => {
                let known = flags.names().enumerate();
                let set = known.filter(|(_, name)| names.iter().any(|one| one == name));
                set.map(|(index, _)| index).collect::<Vec<_>>().serialize(to)
            }
            _ => Err(S::Error::custom("a value of another type")),
        }
    }
}
