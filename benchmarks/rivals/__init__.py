"""What Framepost is measured against: small programs, each written as its library's users do it."""
