//! How each real server is set up for a test: one file to a server.

pub mod aiosmtpd;
pub mod apache;
pub mod garage;
pub mod moto;
pub mod nginx;
pub mod pebble;
pub mod rclone;
pub mod rclone_sftp;
pub mod sshd;
