//! The engine by itself: no runtime, no clock, no types of an author. Each scenario is a straight line of
//! ticks; after every one of them the state is saved, read back and compared.

mod graphs;
mod scenario;

mod ends;
mod fan_out;
mod joins;
mod limits;
mod people;
mod refusals;
mod snapshots;
