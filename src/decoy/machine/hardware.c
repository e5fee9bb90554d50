/* Modules and PCI devices of the fake host, by what it runs on. */
#include "decoy/machine/hardware.h"

#include <stdio.h>

#include "base/bytes.h"

static const struct host_module common_modules[] = {
	{"intel_rapl_msr", 20480, 0, ""},
	{"intel_rapl_common", 32768, 1, "intel_rapl_msr"},
	{"ghash_clmulni_intel", 16384, 0, ""},
	{"sha512_ssse3", 49152, 0, ""},
	{"sha512_generic", 16384, 1, "sha512_ssse3"},
	{"aesni_intel", 393216, 0, ""},
	{"crypto_simd", 16384, 1, "aesni_intel"},
	{"cryptd", 28672, 2, "crypto_simd,ghash_clmulni_intel"},
	{"rapl", 20480, 0, ""},
	{"pcspkr", 16384, 0, ""},
	{"serio_raw", 20480, 0, ""},
	{"button", 24576, 0, ""},
	{"evdev", 28672, 2, ""},
	{"binfmt_misc", 24576, 1, ""},
	{"fuse", 176128, 1, ""},
	{"configfs", 57344, 1, ""},
	{"efi_pstore", 16384, 0, ""},
	{"ip_tables", 36864, 0, ""},
	{"x_tables", 61440, 1, "ip_tables"},
	{"autofs4", 53248, 2, ""},
	{"ext4", 983040, 1, ""},
	{"crc16", 16384, 1, "ext4"},
	{"mbcache", 16384, 1, "ext4"},
	{"jbd2", 167936, 1, "ext4"},
	{"crc32c_generic", 16384, 0, ""},
	{"hid_generic", 16384, 0, ""},
	{"usbhid", 65536, 0, ""},
	{"hid", 159744, 2, "usbhid,hid_generic"},
	{"sr_mod", 28672, 0, ""},
	{"cdrom", 81920, 1, "sr_mod"},
	{"sd_mod", 65536, 3, ""},
	{"sg", 40960, 0, ""},
	{"t10_pi", 16384, 1, "sd_mod"},
	{"crc64_rocksoft", 20480, 1, "t10_pi"},
	{"crc64", 20480, 1, "crc64_rocksoft"},
	{"crc_t10dif", 20480, 1, "t10_pi"},
	{"crct10dif_generic", 16384, 0, ""},
	{"crct10dif_pclmul", 16384, 1, ""},
	{"crct10dif_common", 16384, 3, "crct10dif_generic,crc_t10dif,crct10dif_pclmul"},
	{"crc32_pclmul", 16384, 0, ""},
	{"crc32c_intel", 24576, 2, ""},
	{"psmouse", 184320, 0, ""},
	{"virtio_net", 73728, 0, ""},
	{"net_failover", 20480, 1, "virtio_net"},
	{"failover", 16384, 1, "net_failover"},
	{"virtio_scsi", 24576, 2, ""},
	{"ata_generic", 16384, 0, ""},
	{"ata_piix", 45056, 0, ""},
	{"libata", 401408, 2, "ata_piix,ata_generic"},
	{"scsi_mod", 286720, 5, "virtio_scsi,sd_mod,libata,sg,sr_mod"},
	{"scsi_common", 16384, 5, "scsi_mod,virtio_scsi,libata,sg,sr_mod"},
	{"virtio_pci", 24576, 0, ""},
	{"virtio_pci_legacy_dev", 16384, 1, "virtio_pci"},
	{"virtio_pci_modern_dev", 20480, 1, "virtio_pci"},
	{"virtio", 20480, 3, "virtio_scsi,virtio_pci,virtio_net"},
	{"virtio_ring", 45056, 3, "virtio_scsi,virtio_pci,virtio_net"},
	{"uhci_hcd", 57344, 0, ""},
	{"ehci_hcd", 102400, 1, "uhci_hcd"},
	{"usbcore", 348160, 3, "usbhid,ehci_hcd,uhci_hcd"},
	{"usb_common", 16384, 3, "usbcore,ehci_hcd,uhci_hcd"},
	{"i2c_piix4", 28672, 0, ""},
	{"floppy", 94208, 0, ""},
};

static const struct host_module vmware_modules[] = {
	{"vsock_loopback", 16384, 0, ""},
	{"vmw_vsock_virtio_transport_common", 49152, 1, "vsock_loopback"},
	{"vmw_vsock_vmci_transport", 36864, 1, ""},
	{"vsock", 53248, 5,
	 "vmw_vsock_virtio_transport_common,vsock_loopback,vmw_vsock_vmci_transport"},
	{"intel_rapl_msr", 20480, 0, ""},
	{"intel_rapl_common", 32768, 1, "intel_rapl_msr"},
	{"ghash_clmulni_intel", 16384, 0, ""},
	{"aesni_intel", 393216, 0, ""},
	{"crypto_simd", 16384, 1, "aesni_intel"},
	{"cryptd", 28672, 2, "crypto_simd,ghash_clmulni_intel"},
	{"vmw_balloon", 28672, 0, ""},
	{"pcspkr", 16384, 0, ""},
	{"vmw_vmci", 98304, 2, "vmw_balloon,vmw_vsock_vmci_transport"},
	{"button", 24576, 0, ""},
	{"ac", 20480, 0, ""},
	{"sg", 40960, 0, ""},
	{"evdev", 28672, 3, ""},
	{"binfmt_misc", 24576, 1, ""},
	{"fuse", 176128, 1, ""},
	{"configfs", 57344, 1, ""},
	{"ip_tables", 36864, 0, ""},
	{"x_tables", 61440, 1, "ip_tables"},
	{"autofs4", 53248, 2, ""},
	{"ext4", 983040, 1, ""},
	{"crc16", 16384, 1, "ext4"},
	{"mbcache", 16384, 1, "ext4"},
	{"jbd2", 167936, 1, "ext4"},
	{"crc32c_generic", 16384, 0, ""},
	{"sd_mod", 65536, 3, ""},
	{"t10_pi", 16384, 1, "sd_mod"},
	{"ata_generic", 16384, 0, ""},
	{"vmwgfx", 376832, 1, ""},
	{"drm_ttm_helper", 16384, 1, "vmwgfx"},
	{"ttm", 94208, 2, "vmwgfx,drm_ttm_helper"},
	{"drm_kms_helper", 212992, 1, "vmwgfx"},
	{"ata_piix", 45056, 0, ""},
	{"libata", 401408, 2, "ata_piix,ata_generic"},
	{"vmw_pvscsi", 32768, 2, ""},
	{"vmxnet3", 77824, 0, ""},
	{"drm", 614400, 4, "vmwgfx,drm_kms_helper,drm_ttm_helper,ttm"},
	{"scsi_mod", 286720, 4, "vmw_pvscsi,sd_mod,libata,sg"},
	{"scsi_common", 16384, 3, "scsi_mod,libata,sg"},
	{"psmouse", 184320, 0, ""},
	{"i2c_piix4", 28672, 0, ""},
};

static const struct host_module hyperv_modules[] = {
	{"intel_rapl_msr", 20480, 0, ""},
	{"intel_rapl_common", 32768, 1, "intel_rapl_msr"},
	{"ghash_clmulni_intel", 16384, 0, ""},
	{"aesni_intel", 393216, 0, ""},
	{"crypto_simd", 16384, 1, "aesni_intel"},
	{"cryptd", 28672, 2, "crypto_simd,ghash_clmulni_intel"},
	{"hyperv_drm", 20480, 0, ""},
	{"drm_shmem_helper", 24576, 1, "hyperv_drm"},
	{"drm_kms_helper", 212992, 2, "hyperv_drm"},
	{"hv_balloon", 36864, 0, ""},
	{"hv_utils", 40960, 2, ""},
	{"pcspkr", 16384, 0, ""},
	{"serio_raw", 20480, 0, ""},
	{"button", 24576, 0, ""},
	{"evdev", 28672, 2, ""},
	{"drm", 614400, 3, "drm_kms_helper,drm_shmem_helper,hyperv_drm"},
	{"fuse", 176128, 1, ""},
	{"configfs", 57344, 1, ""},
	{"ip_tables", 36864, 0, ""},
	{"x_tables", 61440, 1, "ip_tables"},
	{"autofs4", 53248, 2, ""},
	{"ext4", 983040, 1, ""},
	{"crc16", 16384, 1, "ext4"},
	{"mbcache", 16384, 1, "ext4"},
	{"jbd2", 167936, 1, "ext4"},
	{"crc32c_generic", 16384, 0, ""},
	{"sd_mod", 65536, 3, ""},
	{"t10_pi", 16384, 1, "sd_mod"},
	{"hv_storvsc", 28672, 2, ""},
	{"scsi_transport_fc", 86016, 1, "hv_storvsc"},
	{"hv_netvsc", 114688, 0, ""},
	{"hid_hyperv", 16384, 0, ""},
	{"hyperv_keyboard", 16384, 0, ""},
	{"scsi_mod", 286720, 3, "sd_mod,scsi_transport_fc,hv_storvsc"},
	{"scsi_common", 16384, 1, "scsi_mod"},
	{"hv_vmbus", 151552, 7,
	 "hv_balloon,hv_utils,hid_hyperv,hyperv_keyboard,hv_netvsc,hyperv_drm,hv_storvsc"},
};

static const struct host_pci proxmox_pci[] = {
	{"00:00.0", "Host bridge", "Intel Corporation 440FX - 82441FX PMC [Natoma]", 0x0600, 0x8086,
	 0x1237, 2, ""},
	{"00:01.0", "ISA bridge", "Intel Corporation 82371SB PIIX3 ISA [Natoma/Triton II]", 0x0601,
	 0x8086, 0x7000, 0, ""},
	{"00:01.1", "IDE interface", "Intel Corporation 82371SB PIIX3 IDE [Natoma/Triton II]",
	 0x0101, 0x8086, 0x7010, 0, "ata_piix"},
	{"00:01.2", "USB controller", "Intel Corporation 82371SB PIIX3 USB [Natoma/Triton II]",
	 0x0c03, 0x8086, 0x7020, 1, "uhci_hcd"},
	{"00:01.3", "Bridge", "Intel Corporation 82371AB/EB/MB PIIX4 ACPI", 0x0680, 0x8086, 0x7113,
	 3, "piix4_smbus"},
	{"00:02.0", "VGA compatible controller", "Device 1234:1111", 0x0300, 0x1234, 0x1111, 2,
	 "bochs-drm"},
	{"00:03.0", "Unclassified device [00ff]", "Red Hat, Inc. Virtio memory balloon", 0x00ff,
	 0x1af4, 0x1002, 0, "virtio-pci"},
	{"00:05.0", "PCI bridge", "Red Hat, Inc. QEMU PCI-PCI bridge", 0x0604, 0x1b36, 0x0001, 0,
	 ""},
	{"00:12.0", "Ethernet controller", "Red Hat, Inc. Virtio network device", 0x0200, 0x1af4,
	 0x1000, 0, "virtio-pci"},
	{"00:1e.0", "PCI bridge", "Red Hat, Inc. QEMU PCI-PCI bridge", 0x0604, 0x1b36, 0x0001, 0,
	 ""},
	{"00:1f.0", "PCI bridge", "Red Hat, Inc. QEMU PCI-PCI bridge", 0x0604, 0x1b36, 0x0001, 0,
	 ""},
	{"01:01.0", "SCSI storage controller", "Red Hat, Inc. Virtio SCSI", 0x0100, 0x1af4, 0x1004,
	 0, "virtio-pci"},
};

static const struct host_pci libvirt_pci[] = {
	{"00:00.0", "Host bridge", "Intel Corporation 82G33/G31/P35/P31 Express DRAM Controller",
	 0x0600, 0x8086, 0x29c0, 0, ""},
	{"00:01.0", "VGA compatible controller", "Red Hat, Inc. Virtio 1.0 GPU", 0x0300, 0x1af4,
	 0x1050, 1, "virtio-pci"},
	{"00:02.0", "PCI bridge", "Red Hat, Inc. QEMU PCIe Root port", 0x0604, 0x1b36, 0x000c, 0,
	 "pcieport"},
	{"00:02.1", "PCI bridge", "Red Hat, Inc. QEMU PCIe Root port", 0x0604, 0x1b36, 0x000c, 0,
	 "pcieport"},
	{"00:02.2", "PCI bridge", "Red Hat, Inc. QEMU PCIe Root port", 0x0604, 0x1b36, 0x000c, 0,
	 "pcieport"},
	{"00:02.3", "PCI bridge", "Red Hat, Inc. QEMU PCIe Root port", 0x0604, 0x1b36, 0x000c, 0,
	 "pcieport"},
	{"00:02.4", "PCI bridge", "Red Hat, Inc. QEMU PCIe Root port", 0x0604, 0x1b36, 0x000c, 0,
	 "pcieport"},
	{"00:1f.0", "ISA bridge", "Intel Corporation 82801IB (ICH9) LPC Interface Controller",
	 0x0601, 0x8086, 0x2918, 2, "lpc_ich"},
	{"00:1f.2", "SATA controller",
	 "Intel Corporation 82801IR/IO/IH (ICH9R/DO/DH) 6 port SATA Controller [AHCI mode]", 0x0106,
	 0x8086, 0x2922, 2, "ahci"},
	{"00:1f.3", "SMBus", "Intel Corporation 82801I (ICH9 Family) SMBus Controller", 0x0c05,
	 0x8086, 0x2930, 2, "i801_smbus"},
	{"01:00.0", "Ethernet controller", "Red Hat, Inc. Virtio 1.0 network device", 0x0200,
	 0x1af4, 0x1041, 1, "virtio-pci"},
	{"02:00.0", "USB controller", "Red Hat, Inc. QEMU XHCI Host Controller", 0x0c03, 0x1b36,
	 0x000d, 1, "xhci_hcd"},
	{"03:00.0", "Communication controller", "Red Hat, Inc. Virtio 1.0 console", 0x0780, 0x1af4,
	 0x1043, 1, "virtio-pci"},
	{"04:00.0", "SCSI storage controller", "Red Hat, Inc. Virtio 1.0 block device", 0x0100,
	 0x1af4, 0x1042, 1, "virtio-pci"},
	{"05:00.0", "Unclassified device [00ff]", "Red Hat, Inc. Virtio 1.0 memory balloon", 0x00ff,
	 0x1af4, 0x1045, 1, "virtio-pci"},
};

static const struct host_pci vmware_pci[] = {
	{"00:00.0", "Host bridge", "Intel Corporation 440BX/ZX/DX - 82443BX/ZX/DX Host bridge",
	 0x0600, 0x8086, 0x7190, 1, "agpgart-intel"},
	{"00:01.0", "PCI bridge", "Intel Corporation 440BX/ZX/DX - 82443BX/ZX/DX AGP bridge",
	 0x0604, 0x8086, 0x7191, 1, ""},
	{"00:07.0", "ISA bridge", "Intel Corporation 82371AB/EB/MB PIIX4 ISA", 0x0601, 0x8086,
	 0x7110, 8, ""},
	{"00:07.1", "IDE interface", "Intel Corporation 82371AB/EB/MB PIIX4 IDE", 0x0101, 0x8086,
	 0x7111, 1, "ata_piix"},
	{"00:07.3", "Bridge", "Intel Corporation 82371AB/EB/MB PIIX4 ACPI", 0x0680, 0x8086, 0x7113,
	 8, ""},
	{"00:07.7", "System peripheral", "VMware Virtual Machine Communication Interface", 0x0880,
	 0x15ad, 0x0740, 16, "vmw_vmci"},
	{"00:0f.0", "VGA compatible controller", "VMware SVGA II Adapter", 0x0300, 0x15ad, 0x0405,
	 0, "vmwgfx"},
	{"00:11.0", "PCI bridge", "VMware PCI bridge", 0x0604, 0x15ad, 0x0790, 2, ""},
	{"00:15.0", "PCI bridge", "VMware PCI Express Root Port", 0x0604, 0x15ad, 0x07a0, 1,
	 "pcieport"},
	{"00:16.0", "PCI bridge", "VMware PCI Express Root Port", 0x0604, 0x15ad, 0x07a0, 1,
	 "pcieport"},
	{"03:00.0", "Serial Attached SCSI controller", "VMware PVSCSI SCSI Controller", 0x0107,
	 0x15ad, 0x07c0, 2, "vmw_pvscsi"},
	{"0b:00.0", "Ethernet controller", "VMware VMXNET3 Ethernet Controller", 0x0200, 0x15ad,
	 0x07b0, 1, "vmxnet3"},
};

size_t host_modules(const struct host *host, const struct host_module **modules)
{
	const char *name = host_platform(host)->name;

	*modules = common_modules;
	if (host_kind(host) == HOST_ROUTER)
		return 0;
	if (strcmp(name, "vmware") == 0) {
		*modules = vmware_modules;
		return ARRAY_COUNT(vmware_modules);
	}
	if (strcmp(name, "hyperv") == 0) {
		*modules = hyperv_modules;
		return ARRAY_COUNT(hyperv_modules);
	}
	return ARRAY_COUNT(common_modules);
}

size_t host_pci(const struct host *host, const struct host_pci **devices)
{
	const char *name = host_platform(host)->name;

	if (strcmp(name, "vmware") == 0) {
		*devices = vmware_pci;
		return ARRAY_COUNT(vmware_pci);
	}
	if (strcmp(name, "libvirt") == 0) {
		*devices = libvirt_pci;
		return ARRAY_COUNT(libvirt_pci);
	}
	*devices = proxmox_pci;
	/* Hyper-V's second generation has no PCI bus. */
	return strcmp(name, "hyperv") == 0 ? 0 : ARRAY_COUNT(proxmox_pci);
}

void host_module_path(const char *name, char *path, size_t size)
{
	/* The first that the name begins with; dashed: the file has - where the module has _. */
	static const struct {
		const char *start, *folder;
		bool dashed;
	} folders[] = {
		{"aesni_", "arch/x86/crypto", true},
		{"ghash_clmulni", "arch/x86/crypto", true},
		{"sha512_ssse3", "arch/x86/crypto", true},
		{"crct10dif_pclmul", "arch/x86/crypto", true},
		{"crc32_pclmul", "arch/x86/crypto", true},
		{"crc32c_intel", "arch/x86/crypto", true},
		{"crc_t10dif", "lib", true},
		{"crc64", "lib", true},
		{"crc16", "lib", false},
		{"crc", "crypto", false},
		{"sha", "crypto", false},
		{"crypt", "crypto", false},
		{"kvm", "arch/x86/kvm", true},
		{"rapl", "arch/x86/events", false},
		{"intel_rapl", "drivers/powercap", false},
		{"ext4", "fs/ext4", false},
		{"jbd2", "fs/jbd2", false},
		{"mbcache", "fs", false},
		{"fuse", "fs/fuse", false},
		{"autofs4", "fs/autofs", false},
		{"configfs", "fs/configfs", false},
		{"binfmt_misc", "fs", false},
		{"efi", "drivers/firmware/efi", true},
		{"ip_tables", "net/ipv4/netfilter", false},
		{"x_tables", "net/netfilter", false},
		{"nf", "net/netfilter", false},
		{"vsock", "net/vmw_vsock", false},
		{"vmw_vsock", "net/vmw_vsock", false},
		{"hv_sock", "net/vmw_vsock", false},
		{"failover", "net/core", false},
		{"net_failover", "drivers/net", false},
		{"virtio_net", "drivers/net", false},
		{"vmxnet3", "drivers/net/vmxnet3", false},
		{"hv_netvsc", "drivers/net/hyperv", false},
		{"e1000", "drivers/net/ethernet/intel/e1000", false},
		{"virtio_scsi", "drivers/scsi", false},
		{"virtio_blk", "drivers/block", false},
		{"virtio", "drivers/virtio", false},
		{"vmw_balloon", "drivers/misc", false},
		{"vmw_vmci", "drivers/misc/vmw_vmci", false},
		{"vmw_pvscsi", "drivers/scsi", false},
		{"hv_storvsc", "drivers/scsi", false},
		{"hv_", "drivers/hv", false},
		{"hyperv_keyboard", "drivers/input/serio", true},
		{"hid_", "drivers/hid", true},
		{"hid", "drivers/hid", false},
		{"usbhid", "drivers/hid/usbhid", false},
		{"usb", "drivers/usb/core", true},
		{"uhci", "drivers/usb/host", true},
		{"ehci", "drivers/usb/host", true},
		{"xhci", "drivers/usb/host", true},
		{"ata_", "drivers/ata", false},
		{"ahci", "drivers/ata", false},
		{"libata", "drivers/ata", false},
		{"libahci", "drivers/ata", false},
		{"cdrom", "drivers/cdrom", false},
		{"floppy", "drivers/block", false},
		{"sd_mod", "drivers/scsi", false},
		{"sr_mod", "drivers/scsi", false},
		{"sg", "drivers/scsi", false},
		{"scsi", "drivers/scsi", false},
		{"t10_pi", "block", true},
		{"psmouse", "drivers/input/mouse", false},
		{"serio_raw", "drivers/input/serio", false},
		{"pcspkr", "drivers/input/misc", false},
		{"evdev", "drivers/input", false},
		{"joydev", "drivers/input", false},
		{"button", "drivers/acpi", false},
		{"ac", "drivers/acpi", false},
		{"i2c", "drivers/i2c/busses", true},
		{"lpc", "drivers/mfd", false},
		{"qemu_fw_cfg", "drivers/firmware", false},
		{"vmwgfx", "drivers/gpu/drm/vmwgfx", false},
		{"bochs", "drivers/gpu/drm/tiny", false},
		{"hyperv_drm", "drivers/gpu/drm/hyperv", false},
		{"ttm", "drivers/gpu/drm/ttm", false},
		{"drm", "drivers/gpu/drm", false},
		{"iTCO", "drivers/watchdog", false},
		{"watchdog", "drivers/watchdog", false},
	};
	const char *folder = "drivers/misc";
	bool dashed = false;
	size_t length;

	for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
		if (strncmp(name, folders[i].start, strlen(folders[i].start)) == 0) {
			folder = folders[i].folder;
			dashed = folders[i].dashed;
			break;
		}
	(void)snprintf(path, size, "kernel/%s/", folder);
	length = strlen(path);
	(void)snprintf(path + length, size - length, "%s.ko", name);
	for (char *at = path + length; dashed && *at; at++)
		if (*at == '_')
			*at = '-';
}

void host_module_needs(const struct host *host, const char *name, char *needs, size_t size)
{
	const struct host_module *modules;
	size_t count = host_modules(host, &modules), length = 0;

	*needs = 0;
	for (size_t i = 0; i < count; i++) {
		struct slice rest = slice_text(modules[i].used_by), word;

		while (slice_next(&rest, ',', &word))
			if (slice_is(word, name) && length < size)
				length += (size_t)snprintf(needs + length, size - length, "%s%s",
							   length ? "," : "", modules[i].name);
	}
}
