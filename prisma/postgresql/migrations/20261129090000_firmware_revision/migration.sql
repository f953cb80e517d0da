-- The commit that CI built, and the trigger that tells clients of a change.
ALTER TABLE "Firmware" ADD COLUMN "revision" TEXT;

DROP TRIGGER "Firmware_change_changed" ON "Firmware";
CREATE TRIGGER "Firmware_change_changed" AFTER UPDATE OF
    "modelId", "version", "chip", "elfSha256", "size", "uploadedAt", "elfVersion", "warnings", "revision" ON "Firmware"
    FOR EACH ROW WHEN (
        OLD."modelId" IS DISTINCT FROM NEW."modelId" OR
        OLD."version" IS DISTINCT FROM NEW."version" OR
        OLD."chip" IS DISTINCT FROM NEW."chip" OR
        OLD."elfSha256" IS DISTINCT FROM NEW."elfSha256" OR
        OLD."size" IS DISTINCT FROM NEW."size" OR
        OLD."uploadedAt" IS DISTINCT FROM NEW."uploadedAt" OR
        OLD."elfVersion" IS DISTINCT FROM NEW."elfVersion" OR
        OLD."warnings" IS DISTINCT FROM NEW."warnings" OR
        OLD."revision" IS DISTINCT FROM NEW."revision")
    EXECUTE FUNCTION "note_change"('');
