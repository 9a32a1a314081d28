# The network and the cluster in it.

terraform {
  required_version = ">= 1.4"
}

variable "zones" {
  description = "How many zones the cluster spans. `TF_VAR_zones=1` shows what a plan that fails looks like."
  type        = number
  default     = 2
}

resource "terraform_data" "network" {
  input = { name = "example", range = "10.0.0.0/16" }
}

resource "terraform_data" "subnet" {
  count = var.zones

  input = {
    network = terraform_data.network.output.name
    range   = cidrsubnet("10.0.0.0/16", 8, count.index)
  }
}

resource "terraform_data" "cluster" {
  input = { name = "example", subnets = terraform_data.subnet[*].output.range }

  lifecycle {
    precondition {
      condition     = var.zones >= 2
      error_message = "The cluster needs two zones or more, so that it outlives one of them."
    }
  }
}

output "cluster" {
  description = "The cluster that workloads go to."
  value       = terraform_data.cluster.output.name
}
