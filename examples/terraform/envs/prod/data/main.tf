# The database of production, and the account that the application uses.

terraform {
  required_version = ">= 1.4"
}

variable "password" {
  description = "The application's password. It is sensitive: plans and dashboards show that it changes, never what it is."
  type        = string
  default     = "an example, not a secret"
  sensitive   = true
}

resource "terraform_data" "database" {
  input = { name = "orders", size = "large", backups = true }
}

resource "terraform_data" "account" {
  input = {
    database = terraform_data.database.output.name
    login    = "orders"
    password = var.password
  }
}

output "database" {
  description = "The database that production uses."
  value       = terraform_data.database.output.name
}
