# SPDX-License-Identifier: MIT
# guest.mk - guest programs for tests, and the images of real software.

.PHONY: guests images
guests:
images: ## real software for the boot tests: into build/guest
	@sh tests/guest/fetch.sh
