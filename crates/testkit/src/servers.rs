//! Servers of single makers, each started with what a driver needs to know of it.

pub mod rclone_sftp;
pub mod sshd;
