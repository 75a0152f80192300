//! Calls that move bytes and text, without a detour by `Val`.
//!
//! A `Val` takes 32 bytes or more for each byte of a `list<u8>`, and wasmtime lifts 128 MiB of them at most. Functions
//! of which every parameter is bytes, text or a `u32`, and the result one of these or a `result<list<u8>, string>`, are
//! called by their static types instead. For all others there is `values`.

use serde::Deserialize;
use serde_bytes::{ByteBuf, Bytes};
use wasmtime::component::{ComponentNamedList, Func, Lift, Lower, Type};
use wasmtime::{Result, Store};

use crate::host::Host;
use crate::values::{self, Reader, ValueError};

type Read<T> = std::result::Result<T, rmp_serde::decode::Error>;
type Written = std::result::Result<Option<ByteBuf>, ValueError>;

/// A type that is moved as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bytes,
    Text,
    Number,
}

/// What `function` returns; `None` where its signature is not among those, or has no bytes in it.
pub(crate) fn call(store: &mut Store<Host>, function: &Func, args: &[u8]) -> Option<Result<Option<ByteBuf>>> {
    let ty = function.ty(&*store);
    let params: Vec<Kind> = ty.params().map(|(_, of)| kind(&of)).collect::<Option<_>>()?;
    let result = ty.results().next();
    let call = Call { store, function, args };
    match params.as_slice() {
        [Kind::Bytes] => call.to::<(Vec<u8>,)>(result),
        [Kind::Bytes, Kind::Bytes] => call.to::<(Vec<u8>, Vec<u8>)>(result),
        [Kind::Bytes, Kind::Text] => call.to::<(Vec<u8>, String)>(result),
        [Kind::Bytes, Kind::Number] => call.to::<(Vec<u8>, u32)>(result),
        [Kind::Text, Kind::Bytes] => call.to::<(String, Vec<u8>)>(result),
        [] if has_bytes(result.as_ref()) => call.to::<()>(result),
        [Kind::Text] if has_bytes(result.as_ref()) => call.to::<(String,)>(result),
        [Kind::Number] if has_bytes(result.as_ref()) => call.to::<(u32,)>(result),
        _ => None,
    }
}

fn kind(of: &Type) -> Option<Kind> {
    match of {
        Type::List(list) if matches!(list.ty(), Type::U8) => Some(Kind::Bytes),
        Type::String => Some(Kind::Text),
        Type::U32 => Some(Kind::Number),
        _ => None,
    }
}

fn has_bytes(of: Option<&Type>) -> bool {
    of.is_some_and(|of| kind(of) == Some(Kind::Bytes) || is_fallible(of))
}

/// Whether it is a `result<list<u8>, string>`.
fn is_fallible(of: &Type) -> bool {
    let Type::Result(result) = of else { return false };
    let kinds = [result.ok(), result.err()].map(|side| side.as_ref().and_then(kind));
    kinds == [Some(Kind::Bytes), Some(Kind::Text)]
}

struct Call<'c> {
    store: &'c mut Store<Host>,
    function: &'c Func,
    args: &'c [u8],
}

impl Call<'_> {
    fn to<P: Params>(self, result: Option<Type>) -> Option<Result<Option<ByteBuf>>> {
        match result {
            None => Some(self.of::<P, ()>()),
            Some(of) if is_fallible(&of) => Some(self.of::<P, (Result<Vec<u8>, String>,)>()),
            Some(of) => Some(match kind(&of)? {
                Kind::Bytes => self.of::<P, (Vec<u8>,)>(),
                Kind::Text => self.of::<P, (String,)>(),
                Kind::Number => self.of::<P, (u32,)>(),
            }),
        }
    }

    fn of<P: Params, R: Answer>(self) -> Result<Option<ByteBuf>> {
        let function = self.function.typed::<P, R>(&*self.store)?;
        let params = values::read(self.args, P::read)?;
        Ok(function.call(self.store, params)?.write()?)
    }
}

/// One parameter.
trait Param: Sized {
    type Plain: for<'de> Deserialize<'de>;

    fn of(plain: Self::Plain) -> Self;
}

impl Param for Vec<u8> {
    type Plain = ByteBuf;

    fn of(plain: ByteBuf) -> Self {
        plain.into_vec()
    }
}

impl Param for String {
    type Plain = Self;

    fn of(plain: Self) -> Self {
        plain
    }
}

impl Param for u32 {
    type Plain = Self;

    fn of(plain: Self) -> Self {
        plain
    }
}

/// All parameters.
trait Params: Sized + ComponentNamedList + Lower + 'static {
    fn read(from: &mut Reader<'_>) -> Read<Self>;
}

impl Params for () {
    fn read(from: &mut Reader<'_>) -> Read<Self> {
        <[(); 0]>::deserialize(from).map(|_| ())
    }
}

impl<A: Param + Lower + 'static> Params for (A,) {
    fn read(from: &mut Reader<'_>) -> Read<Self> {
        <(A::Plain,)>::deserialize(from).map(|(a,)| (A::of(a),))
    }
}

impl<A: Param + Lower + 'static, B: Param + Lower + 'static> Params for (A, B) {
    fn read(from: &mut Reader<'_>) -> Read<Self> {
        <(A::Plain, B::Plain)>::deserialize(from).map(|(a, b)| (A::of(a), B::of(b)))
    }
}

/// What a function returns.
trait Answer: ComponentNamedList + Lift + 'static {
    fn write(self) -> Written;
}

impl Answer for () {
    fn write(self) -> Written {
        Ok(None)
    }
}

impl Answer for (Vec<u8>,) {
    fn write(self) -> Written {
        values::write(&Bytes::new(&self.0)).map(Some)
    }
}

impl Answer for (String,) {
    fn write(self) -> Written {
        values::write(&self.0).map(Some)
    }
}

impl Answer for (u32,) {
    fn write(self) -> Written {
        values::write(&self.0).map(Some)
    }
}

impl Answer for (Result<Vec<u8>, String>,) {
    fn write(self) -> Written {
        match self.0 {
            Ok(bytes) => values::write(&(0, Bytes::new(&bytes))),
            Err(text) => values::write(&(1, text)),
        }
        .map(Some)
    }
}
