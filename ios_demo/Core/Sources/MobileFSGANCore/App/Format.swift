/// A number with one digit after the point, as in "47.1"; "inf" and "nan" stay words.
func oneDigit(_ value: Double) -> String {
  guard value.isFinite else { return "\(value)" }
  let tenths = Int((abs(value) * 10).rounded())
  return "\(value < 0 && tenths > 0 ? "-" : "")\(tenths / 10).\(tenths % 10)"
}
