//! What a component imports and exports, as it is written in the header.
//!
//! Plain values that serialize to the documented JSON; `describe` makes them.

use serde::Serialize;

/// Most bytes of a description in JSON.
pub(crate) const MAX_DESCRIPTION: usize = 8 << 20;

/// Both sides of a component.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Description {
    /// What must be given to it.
    pub(crate) imports: Vec<Item>,
    /// What it offers.
    pub(crate) exports: Vec<Item>,
}

/// One import or export. The name is the component's own, byte for byte.
#[derive(Debug, Serialize)]
pub(crate) struct Item {
    /// Such as `wasi:cli/stdout@0.2.0`.
    pub(crate) name: String,
    /// What it is.
    #[serde(flatten)]
    pub(crate) shape: Shape,
}

/// The kinds of items.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Shape {
    /// An instance of an interface.
    Instance(Instance),
    /// A function.
    Function(Signature),
    /// A core module.
    Module,
    /// A component.
    Component,
    /// A type other than a resource.
    Type {
        /// What it is made of.
        r#type: Type,
    },
    /// A resource type.
    Resource,
    /// A value.
    Value,
}

/// What an instance holds, by kind.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Instance {
    /// Its functions, methods of resources among them, in the order of declaration.
    pub(crate) functions: Vec<Function>,
    /// Names of the resource types that it declares or re-exports.
    pub(crate) resources: Vec<String>,
    /// Its other types, by name and in the order of declaration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) types: Vec<(String, Type)>,
    /// Instances, modules and components inside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) items: Vec<Item>,
}

/// A function of an instance.
#[derive(Debug, Serialize)]
pub(crate) struct Function {
    /// Such as `[method]output-stream.write`.
    pub(crate) name: String,
    /// What it takes and returns.
    #[serde(flatten)]
    pub(crate) signature: Signature,
}

/// Parameters, by name and in order, and the result.
#[derive(Debug, Serialize)]
pub(crate) struct Signature {
    /// Names and types.
    pub(crate) params: Vec<(String, Type)>,
    /// `None` when nothing is returned.
    pub(crate) result: Option<Type>,
}

/// A type of a value, spelled out in full.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the variants are the component model's own words")]
pub(crate) enum Type {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
    List(Box<Type>),
    FixedList(Box<Type>, u32),
    Record(Vec<(String, Type)>),
    Tuple(Vec<Type>),
    Variant(Vec<(String, Option<Type>)>),
    Enum(Vec<String>),
    Option(Box<Type>),
    Result(Option<Box<Type>>, Option<Box<Type>>),
    Flags(Vec<String>),
    /// An owned handle, by the resource's name.
    Own(String),
    /// A borrowed handle, by the resource's name.
    Borrow(String),
    /// What has no values here, by its name: switched off in the engine, or no type of values.
    Unsupported(&'static str),
}
