-- What the dump and the ELF say of themselves: a build for another chip is not used, and an ELF that lacks something is
-- named.
ALTER TABLE "Coredump" ADD COLUMN "dumpChip" TEXT;
ALTER TABLE "Firmware" ADD COLUMN "elfVersion" TEXT;
ALTER TABLE "Firmware" ADD COLUMN "warnings" TEXT;

-- Clients see the new columns of a build. The chip of a dump changes together with its parse status.
DROP TRIGGER "Firmware_change_changed" ON "Firmware";
CREATE TRIGGER "Firmware_change_changed" AFTER UPDATE OF
    "modelId", "version", "chip", "elfSha256", "size", "uploadedAt", "elfVersion", "warnings" ON "Firmware"
    FOR EACH ROW WHEN (
        OLD."modelId" IS DISTINCT FROM NEW."modelId" OR
        OLD."version" IS DISTINCT FROM NEW."version" OR
        OLD."chip" IS DISTINCT FROM NEW."chip" OR
        OLD."elfSha256" IS DISTINCT FROM NEW."elfSha256" OR
        OLD."size" IS DISTINCT FROM NEW."size" OR
        OLD."uploadedAt" IS DISTINCT FROM NEW."uploadedAt" OR
        OLD."elfVersion" IS DISTINCT FROM NEW."elfVersion" OR
        OLD."warnings" IS DISTINCT FROM NEW."warnings")
    EXECUTE FUNCTION "note_change"('');
