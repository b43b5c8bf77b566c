use crate::exec::testing::check;

#[test]
fn placeholder_until_written() {
    check("EXISTS a => 0");
}
