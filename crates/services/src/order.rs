//! What depends on what.

use std::collections::BTreeSet;

use plan::{Service, ServiceName};

/// These services and all that they depend on.
pub(crate) fn closure(wanted: &[ServiceName], services: &[Service]) -> BTreeSet<ServiceName> {
    let mut found = BTreeSet::new();
    let mut left: Vec<ServiceName> = wanted.to_vec();
    while let Some(name) = left.pop() {
        let described = services.iter().find(|service| service.name == name);
        if found.insert(name) {
            let depends = described.into_iter().flat_map(|one| &one.depends);
            let comes = depends.filter(|needs| needs.required || is_active(&needs.service, services));
            left.extend(comes.map(|needs| needs.service.clone()));
        }
    }
    found
}

fn is_active(name: &ServiceName, services: &[Service]) -> bool {
    services.iter().any(|service| service.name == *name && service.active)
}

/// Whether a service can start at any time.
pub(crate) fn needs_nothing(name: &ServiceName, services: &[Service]) -> bool {
    services.iter().find(|service| service.name == *name).is_none_or(|service| service.depends.is_empty())
}

/// Services that depend on one of these, directly or through others.
pub(crate) fn dependents(of: &ServiceName, services: &[Service]) -> BTreeSet<ServiceName> {
    let needs = |service: &&Service| {
        service.name != *of && closure(std::slice::from_ref(&service.name), services).contains(of)
    };
    services.iter().filter(needs).map(|service| service.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{name, service};

    #[test]
    fn what_is_needed_comes_along() {
        let services =
            [service("db", &[]), service("api", &["db"]), service("work", &["api"]), service("x", &[])];

        assert_eq!(
            closure(&[name("work")], &services),
            BTreeSet::from([name("api"), name("db"), name("work")])
        );
    }

    #[test]
    fn a_circle_ends() {
        let services = [service("a", &["b"]), service("b", &["a"])];

        assert_eq!(closure(&[name("a")], &services), BTreeSet::from([name("a"), name("b")]));
    }

    #[test]
    fn what_is_switched_off_and_not_required_stays_away() {
        let mut services = [service("db", &[]), service("api", &["db"])];
        services[0].active = false;
        services[1].depends[0].required = false;

        assert_eq!(closure(&[name("api")], &services), BTreeSet::from([name("api")]));
    }

    #[test]
    fn dependents_are_found_through_others() {
        let services =
            [service("db", &[]), service("api", &["db"]), service("work", &["api"]), service("cache", &[])];

        assert_eq!(dependents(&name("db"), &services), BTreeSet::from([name("api"), name("work")]));
    }
}
