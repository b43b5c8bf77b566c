//! User data survives its way through the kernel.

use super::*;

#[test]
fn tokens_are_what_they_were() {
    for op in Op::ALL {
        for slot in [0, 1, 77, (1 << SLOT_BITS) - 1] {
            for generation in [0, 1, u32::MAX] {
                let token = Token::new(op, ConnId { slot, generation });
                assert_eq!(Token::unpack(token.pack()), token);
            }
        }
    }
}
