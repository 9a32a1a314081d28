//! The client against a server that answers what a script says, byte for byte: what goes wrong on the way to GitHub and
//! back, and what is sent.

mod answers;
mod faults;
mod forge;
mod script;
mod writes;
