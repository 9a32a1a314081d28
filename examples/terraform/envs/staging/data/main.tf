# The database of staging.

terraform {
  required_version = ">= 1.4"
}

resource "terraform_data" "database" {
  input = { name = "orders-staging", size = "small", backups = false }
}

output "database" {
  description = "The database that staging uses."
  value       = terraform_data.database.output.name
}
