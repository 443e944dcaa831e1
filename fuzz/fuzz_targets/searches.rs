#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    ocs_fuzz::searches(bytes);
});
