/* Which device is which GPU. */
#include "hardware/device_name.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* Model as a word of the driver's name, and what else must be in it; the first line
 * that fits holds. Names as the driver's list of supported products writes them. */
static const struct {
    const char *model, *form, *name;
} devices[] = {
    {"A100", "SXM4-40GB", "A100-40-SXM"},
    {"A100", "SXM4-80GB", "A100-80-SXM"},
    {"A100", "80GB PCIe", "A100-80-PCIe"},
    {"H100", "PCIe", "H100-PCIe"},
    {"H100", "80GB HBM3", "H100-SXM"},
    {"H800", "PCIe", NULL},
    {"H800", "", "H800-SXM"},
    {"H200", "NVL", NULL},
    {"H200", "", "H200-SXM"},
    {"H20", "3e", NULL},
    {"H20", "", "H20"},
    {"GB200", "", "GB200"},
    {"B200", "", "B200-SXM"},
    {"B300", "", "B300-SXM"},
    {"L40S", "", "L40S"},
    {"L4", "", "L4"},
    {"A30", "", "A30"},
    {"A10", "", "A10"},
    {"RTX 4090", "Laptop", NULL},
    {"RTX 4090", "4090 D", NULL},
    {"RTX 4090", "", "RTX-4090"},
    {"RTX PRO 6000", "Server Edition", "RTX-PRO-6000-Server"},
};

/* Whether `word` stands in `text` with no letter or digit before or behind it. */
static bool has_word(const char *text, const char *word) {
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
        bool before = at > text && isalnum((unsigned char)at[-1]);
        if (!before && !isalnum((unsigned char)at[strlen(word)])) return true;
    }
    return false;
}

const char *hd_device_gpu(const char *device) {
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (has_word(device, devices[i].model) && strstr(device, devices[i].form))
            return devices[i].name;
    return NULL;
}
