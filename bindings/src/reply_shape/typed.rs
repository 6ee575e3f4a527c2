//! What was seen, as a type.

use std::sync::Arc;

use super::place::{Kind, Member, Members, Place};
use crate::shape::{Alternative, ArrayShape, Property, Rest, ValueType};

impl Place {
    /// The type of the values; `unknown` where there were none.
    pub(super) fn value_type(&self) -> ValueType {
        if self.is_unknown {
            return ValueType::Unknown;
        }
        let scalar = |kind: Kind| match kind {
            Kind::Null => Alternative::Null,
            Kind::Boolean => Alternative::Boolean,
            Kind::Number => Alternative::Number,
            Kind::String => Alternative::String,
        };
        let scalars = Kind::ALL.into_iter().filter(|kind| self.has(*kind)).map(|kind| ValueType::one(scalar(kind)));
        let array =
            |items: &Self| ValueType::one(Alternative::Array(Arc::new(ArrayShape::new(Vec::new(), 0, items.value_type()))));
        let arrays = self.items.iter().map(|items| array(items));
        let objects = self.members.iter().map(|members| members.value_type());
        let seen = ValueType::any_of(scalars.chain(arrays).chain(objects));
        if seen.is_never() { ValueType::Unknown } else { seen }
    }
}

impl Members {
    fn value_type(&self) -> ValueType {
        let property = |(name, member): (&String, &Member)| Property {
            name: Arc::from(name.as_str()),
            value: member.place.value_type(),
            is_required: member.objects >= self.objects,
            note: None,
        };
        let rest = self.rest.as_ref().map_or(Rest::Unsaid, |rest| Rest::Values(rest.value_type()));
        ValueType::object(self.named.iter().map(property).collect(), rest)
    }
}
