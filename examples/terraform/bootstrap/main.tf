# What everything else stands on: where state would be kept, and who may write it.
# `terraform_data` is built into Terraform: no account, no network, no provider to download.

terraform {
  required_version = ">= 1.4"
}

resource "terraform_data" "state_bucket" {
  input = {
    name       = "example-state"
    versioning = true
  }
}

resource "terraform_data" "deployer" {
  input = {
    name  = "deployer"
    write = [terraform_data.state_bucket.output.name]
  }
}

output "state_bucket" {
  description = "The bucket that the other layers keep their state in."
  value       = terraform_data.state_bucket.output.name
}
