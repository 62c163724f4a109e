//! Who acts in a world: [`files`] and [`uploads`] are clients, [`operator`] runs the service.

pub mod files;
pub mod operator;
pub mod uploads;
