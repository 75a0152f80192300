//! From a component's bytes to its description.
//!
//! The types come from the validator that the compiler itself is built on, so whatever compiles can be described, and
//! no code has to be loaded to ask. Function bodies are left to the compiler. Types that share parts can be
//! exponentially long once spelled out, so every node is paid for from a budget, and depth is bounded.

use std::collections::HashMap;

use wasmparser::PrimitiveValType;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentEntityType, ComponentFuncTypeId,
    ComponentInstanceTypeId, ComponentItem, ComponentValType, ResourceId,
};
use wasmparser::types::TypesRef;

use crate::interface::{Description, Function, Instance, Item, MAX_DESCRIPTION, Shape, Signature, Type};
use crate::outline::{Named, Outline};
use crate::reject::Reject;

/// Deepest nesting of types and instances.
const MAX_DEPTH: usize = 64;
/// Bytes of JSON that a node takes besides its name, at the least.
const NODE: usize = 8;

/// Lists all that the component imports and exports, with full types.
///
/// # Errors
/// `Malformed` when the component does not validate; `TooLarge` when the description would be over 8 MiB or types
/// nest deeper than 64.
pub(crate) fn describe(component: &[u8]) -> Result<Description, Reject> {
    let outline = Outline::of(component).map_err(|error| Reject::from_parser(&error))?;
    let Some(types) = &outline.types() else {
        return Err(Reject::Malformed(String::from(
            "expected the end of the component, got the end of the input",
        )));
    };
    let (imports, exports) = (outline.imports(types), outline.exports(types));
    let mut names = Names::default();
    for (name, item) in imports.iter().chain(&exports) {
        names.collect(*types, name, item, 0)?;
    }
    let mut writer = Writer { types, resources: names.resources, budget: Budget::default() };
    Ok(Description { imports: writer.items(&imports)?, exports: writer.items(&exports)? })
}

/// Bytes of JSON that may still be written.
#[derive(Debug)]
struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(MAX_DESCRIPTION)
    }
}

impl Budget {
    fn spend(&mut self, name: &str) -> Result<(), Reject> {
        let cost = name.len() + NODE;
        self.0 = self.0.checked_sub(cost).ok_or_else(|| {
            Reject::TooLarge(format!("description of imports and exports is over {MAX_DESCRIPTION} bytes"))
        })?;
        Ok(())
    }
}

fn check_depth(depth: usize) -> Result<(), Reject> {
    if depth > MAX_DEPTH {
        return Err(Reject::TooLarge(format!("types nest deeper than {MAX_DEPTH}")));
    }
    Ok(())
}

/// The first name under which each resource appears.
#[derive(Debug, Default)]
struct Names {
    resources: HashMap<ResourceId, String>,
    budget: Budget,
}

impl Names {
    fn collect(
        &mut self,
        types: TypesRef<'_>,
        name: &str,
        item: &ComponentItem,
        depth: usize,
    ) -> Result<(), Reject> {
        check_depth(depth)?;
        self.budget.spend(name)?;
        match item.ty {
            ComponentEntityType::Type { created: ComponentAnyTypeId::Resource(id), .. } => {
                self.resources.entry(id.resource()).or_insert_with(|| String::from(name));
            }
            ComponentEntityType::Instance(id) => {
                for (name, item) in &types[id].exports {
                    self.collect(types, name, item, depth + 1)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Turns the validator's types into values of `interface`.
struct Writer<'a> {
    types: &'a TypesRef<'a>,
    resources: HashMap<ResourceId, String>,
    budget: Budget,
}

impl<'a> Writer<'a> {
    fn items(&mut self, items: &[Named<'_>]) -> Result<Vec<Item>, Reject> {
        items.iter().map(|(name, item)| self.item(name, item, 0)).collect()
    }

    fn item(&mut self, name: &str, item: &ComponentItem, depth: usize) -> Result<Item, Reject> {
        check_depth(depth)?;
        self.budget.spend(name)?;
        let shape = match item.ty {
            ComponentEntityType::Instance(id) => Shape::Instance(self.instance(id, depth)?),
            ComponentEntityType::Func(id) => Shape::Function(self.signature(id)?),
            ComponentEntityType::Module(_) => Shape::Module,
            ComponentEntityType::Component(_) => Shape::Component,
            ComponentEntityType::Type { created: ComponentAnyTypeId::Resource(_), .. } => Shape::Resource,
            ComponentEntityType::Type { created, .. } => Shape::Type { r#type: self.named(created)? },
            ComponentEntityType::Value(_) => Shape::Value,
        };
        Ok(Item { name: String::from(name), shape })
    }

    fn instance(&mut self, id: ComponentInstanceTypeId, depth: usize) -> Result<Instance, Reject> {
        let mut instance = Instance::default();
        let types = self.types;
        for (name, export) in &types[id].exports {
            let item = self.item(name, export, depth + 1)?;
            match item.shape {
                Shape::Function(signature) => {
                    instance.functions.push(Function { name: item.name, signature })
                }
                Shape::Resource => instance.resources.push(item.name),
                Shape::Type { r#type } => instance.types.push((item.name, r#type)),
                _ => instance.items.push(item),
            }
        }
        Ok(instance)
    }

    fn signature(&mut self, id: ComponentFuncTypeId) -> Result<Signature, Reject> {
        let types = self.types;
        let function = &types[id];
        let mut params = Vec::new();
        for (name, ty) in &function.params {
            params.push((self.name(name)?, self.ty(*ty, 0)?));
        }
        let result = function.result.map(|ty| self.ty(ty, 0)).transpose()?;
        Ok(Signature { params, result })
    }

    fn name(&mut self, name: &str) -> Result<String, Reject> {
        self.budget.spend(name)?;
        Ok(String::from(name))
    }

    fn names<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) -> Result<Vec<String>, Reject> {
        names.into_iter().map(|name| self.name(name)).collect()
    }

    /// What a named type is made of. Resources are told apart before.
    fn named(&mut self, ty: ComponentAnyTypeId) -> Result<Type, Reject> {
        self.budget.spend("")?;
        Ok(match ty {
            ComponentAnyTypeId::Defined(id) => {
                let types = self.types;
                self.defined(&types[id], 1)?
            }
            ComponentAnyTypeId::Func(_) => Type::Unsupported("function-type"),
            ComponentAnyTypeId::Instance(_) => Type::Unsupported("instance-type"),
            ComponentAnyTypeId::Component(_) => Type::Unsupported("component-type"),
            ComponentAnyTypeId::Resource(_) => Type::Unsupported("resource-type"),
        })
    }

    fn ty(&mut self, ty: ComponentValType, depth: usize) -> Result<Type, Reject> {
        check_depth(depth)?;
        self.budget.spend("")?;
        match ty {
            ComponentValType::Primitive(primitive) => Ok(primitive_type(primitive)),
            ComponentValType::Type(id) => {
                let types = self.types;
                self.defined(&types[id], depth + 1)
            }
        }
    }

    fn boxed(&mut self, ty: ComponentValType, depth: usize) -> Result<Box<Type>, Reject> {
        Ok(Box::new(self.ty(ty, depth)?))
    }

    fn optional(&mut self, ty: Option<ComponentValType>, depth: usize) -> Result<Option<Type>, Reject> {
        ty.map(|ty| self.ty(ty, depth)).transpose()
    }

    fn defined(&mut self, ty: &'a ComponentDefinedType, depth: usize) -> Result<Type, Reject> {
        use ComponentDefinedType as Defined;
        Ok(match ty {
            Defined::Primitive(primitive) => primitive_type(*primitive),
            Defined::List { element, .. } => Type::List(self.boxed(*element, depth)?),
            Defined::FixedLengthList { element, length, .. } => {
                Type::FixedList(self.boxed(*element, depth)?, *length)
            }
            Defined::Record(record) => {
                let fields =
                    record.fields.iter().map(|(name, ty)| Ok((self.name(name)?, self.ty(*ty, depth)?)));
                Type::Record(fields.collect::<Result<_, Reject>>()?)
            }
            Defined::Tuple(tuple) => {
                let parts = tuple.types.iter().map(|ty| self.ty(*ty, depth));
                Type::Tuple(parts.collect::<Result<_, Reject>>()?)
            }
            Defined::Variant(variant) => {
                let cases = variant.cases.iter();
                let cases = cases.map(|(name, case)| Ok((self.name(name)?, self.optional(case.ty, depth)?)));
                Type::Variant(cases.collect::<Result<_, Reject>>()?)
            }
            Defined::Enum(names) => Type::Enum(self.names(names.iter().map(|name| name.as_str()))?),
            Defined::Flags(names) => Type::Flags(self.names(names.iter().map(|name| name.as_str()))?),
            Defined::Option { ty, .. } => Type::Option(self.boxed(*ty, depth)?),
            Defined::Result { ok, err, .. } => Type::Result(
                self.optional(*ok, depth)?.map(Box::new),
                self.optional(*err, depth)?.map(Box::new),
            ),
            Defined::Own(id) => Type::Own(self.resource(id.resource())?),
            Defined::Borrow(id) => Type::Borrow(self.resource(id.resource())?),
            Defined::Map { .. } => Type::Unsupported("map"),
            Defined::Future { .. } => Type::Unsupported("future"),
            Defined::Stream { .. } => Type::Unsupported("stream"),
        })
    }

    /// The resource's name, or just "resource" for one that is never named.
    fn resource(&mut self, id: ResourceId) -> Result<String, Reject> {
        let name = self.resources.get(&id).map_or("resource", String::as_str);
        self.budget.spend(name)?;
        Ok(String::from(name))
    }
}

fn primitive_type(primitive: PrimitiveValType) -> Type {
    match primitive {
        PrimitiveValType::Bool => Type::Bool,
        PrimitiveValType::S8 => Type::S8,
        PrimitiveValType::U8 => Type::U8,
        PrimitiveValType::S16 => Type::S16,
        PrimitiveValType::U16 => Type::U16,
        PrimitiveValType::S32 => Type::S32,
        PrimitiveValType::U32 => Type::U32,
        PrimitiveValType::S64 => Type::S64,
        PrimitiveValType::U64 => Type::U64,
        PrimitiveValType::F32 => Type::F32,
        PrimitiveValType::F64 => Type::F64,
        PrimitiveValType::Char => Type::Char,
        PrimitiveValType::String => Type::String,
        PrimitiveValType::ErrorContext => Type::Unsupported("error-context"),
    }
}
